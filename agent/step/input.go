package step

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// WriteInputs writes each value to $SB_INPUTS/<NAME> and returns those that
// stand in the environment too: all but what is so long that Linux might refuse
// it there. Secrets are no inputs; they never touch the disk.
func (f *Folder) WriteInputs(values map[string]string) (env []string, err error) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		if err := os.WriteFile(f.path("inputs", name), []byte(value), 0o600); err != nil {
			return nil, fmt.Errorf("write an input: %w", err)
		}
		if len(value) <= plan.MaxValueBytes {
			env = append(env, name+"="+value)
		}
	}
	return env, nil
}
