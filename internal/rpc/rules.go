package rpc

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	authzv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/authz/v1"
)

// Rules are the declared rules by procedure ("/signalbox.run.v1.RunService/GetRun").
type Rules map[string]*authzv1.Rule

// LoadRules reads the rules of the services, given by their full names (the
// generated XxxServiceName constants). It fails when a service is unknown or
// any of its methods has no rule, or one that makes no sense: call it at start.
func LoadRules(services ...string) (Rules, error) {
	rules := Rules{}
	for _, name := range services {
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		if err != nil {
			return nil, fmt.Errorf("read the rules of %s: %w", name, err)
		}
		service, ok := d.(protoreflect.ServiceDescriptor)
		if !ok {
			return nil, fmt.Errorf("read the rules of %s: not a service", name)
		}
		for i := range service.Methods().Len() {
			method := service.Methods().Get(i)
			rule, err := ruleOf(method)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", method.FullName(), err)
			}
			rules["/"+string(service.FullName())+"/"+string(method.Name())] = rule
		}
	}
	return rules, nil
}

func ruleOf(method protoreflect.MethodDescriptor) (*authzv1.Rule, error) {
	if !proto.HasExtension(method.Options(), authzv1.E_Rule) {
		return nil, errors.New("the method has no option (signalbox.authz.v1.rule)")
	}
	rule, ok := proto.GetExtension(method.Options(), authzv1.E_Rule).(*authzv1.Rule)
	if !ok {
		return nil, errors.New("the method's rule cannot be read")
	}
	return rule, checkRule(rule)
}

func checkRule(rule *authzv1.Rule) error {
	if rule.GetPublic() {
		if rule.GetPermission() != "" {
			return errors.New("a public method asks for a permission")
		}
		return nil
	}
	switch rule.GetScope() {
	case authzv1.Scope_SCOPE_ORGANIZATION, authzv1.Scope_SCOPE_WORKSPACE:
		if rule.GetPermission() == "" {
			return errors.New("the rule names no permission")
		}
	case authzv1.Scope_SCOPE_USER:
		if rule.GetPermission() != "" {
			return errors.New("a permission is held on an organization or workspace, not on oneself")
		}
	case authzv1.Scope_SCOPE_AGENT:
	case authzv1.Scope_SCOPE_UNSPECIFIED:
		return errors.New("the rule has no scope")
	}
	return nil
}
