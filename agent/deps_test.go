package agent_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const self = "github.com/signalboxhq/signalbox/"

// TestDependencies holds that the binary links what deps.txt says, so that a new
// dependency is a decision somebody sees. The workspace is switched off: it would
// hide a require that is missing.
func TestDependencies(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./cmd/signalbox-agent")
	list.Env = append(os.Environ(), "GOWORK=off")
	list.Stderr = os.Stderr
	out, err := list.Output()
	require.NoError(t, err)
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	modules = slices.Compact(modules)
	for _, module := range modules {
		if strings.HasPrefix(module, self) {
			require.Contains(t, []string{self + "agent", self + "proto"}, module)
		}
	}
	want, err := os.ReadFile("deps.txt")
	require.NoError(t, err)
	require.Equal(t, strings.TrimSpace(string(want)), strings.Join(modules, "\n"), "if that is on purpose, change deps.txt")
}
