package rpc

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/emptypb"

	authzv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/authz/v1"
)

func TestRulesThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	const (
		organization = authzv1.Scope_SCOPE_ORGANIZATION
		user         = authzv1.Scope_SCOPE_USER
		agent        = authzv1.Scope_SCOPE_AGENT
	)
	for _, c := range []struct {
		rule *authzv1.Rule
		ok   bool
	}{
		{&authzv1.Rule{}, false},
		{&authzv1.Rule{Permission: "runs.read"}, false},
		{&authzv1.Rule{Scope: organization}, false},
		{&authzv1.Rule{Scope: organization, Permission: "org.read"}, true},
		{&authzv1.Rule{Scope: user}, true},
		{&authzv1.Rule{Scope: user, Permission: "org.read"}, false},
		{&authzv1.Rule{Scope: agent, Permission: "agent.work"}, true},
		{&authzv1.Rule{Public: true}, true},
		{&authzv1.Rule{Public: true, Permission: "org.read"}, false},
	} {
		require.Equal(t, c.ok, checkRule(c.rule) == nil, "%v", c.rule)
	}
}

func TestMethodWithoutRuleIsAnError(t *testing.T) {
	t.Parallel()
	empty := new(emptypb.Empty)
	name := "." + string(empty.ProtoReflect().Descriptor().FullName())
	text := func(s string) *string { return &s }
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Syntax: text("proto3"), Name: text("bare.proto"), Package: text("bare"), Dependency: []string{"google/protobuf/empty.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name:   text("Bare"),
			Method: []*descriptorpb.MethodDescriptorProto{{Name: text("Do"), InputType: &name, OutputType: &name}},
		}},
	}, files(empty.ProtoReflect().Descriptor().ParentFile()))
	require.NoError(t, err)
	_, err = ruleOf(file.Services().Get(0).Methods().Get(0))
	require.ErrorContains(t, err, "no option (signalbox.authz.v1.rule)")
}

func files(fd protoreflect.FileDescriptor) *protoregistry.Files {
	var set protoregistry.Files
	if err := set.RegisterFile(fd); err != nil {
		panic(err)
	}
	return &set
}
