package rpc_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/signalboxhq/signalbox/internal/rpc"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	_ "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
)

// TestEveryMethodOfTheContractHasARule makes a method without a rule fail the
// build, before any server would refuse to start.
func TestEveryMethodOfTheContractHasARule(t *testing.T) {
	t.Parallel()
	domains := map[string]bool{"authz": true}
	methods := 0
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		name, ours := strings.CutPrefix(string(file.Package()), "signalbox.")
		if !ours {
			return true
		}
		domains[strings.TrimSuffix(name, ".v1")] = true
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			rules, err := rpc.LoadRules(string(service.FullName()))
			require.NoError(t, err)
			require.Len(t, rules, service.Methods().Len())
			methods += len(rules)
		}
		return true
	})
	require.NotZero(t, methods)

	dirs, err := os.ReadDir("../../proto/gen/signalbox")
	require.NoError(t, err)
	for _, dir := range dirs {
		require.True(t, domains[dir.Name()], "import signalbox/%s/v1 above, so that it is looked at", dir.Name())
	}
}

func TestRulesOfAnUnknownServiceAreAnError(t *testing.T) {
	t.Parallel()
	_, err := rpc.LoadRules("signalbox.none.v1.NoService")
	require.Error(t, err)
	_, err = rpc.LoadRules("grpc.health.v1.Health")
	require.Error(t, err)
}
