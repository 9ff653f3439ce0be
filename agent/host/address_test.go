package host_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/host"
)

func TestAMachineHasAnAddress(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, host.Address())
	require.NotContains(t, []string{"127.0.0.1", "::1"}, host.Address())
}
