package pipeline_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/pipeline"
)

func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, file := range fixtures(t, "warn") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			name := filepath.Base(file)
			c, err := pipeline.Compile(name, read(t, file))
			require.NoError(t, err)
			var text strings.Builder
			for _, w := range c.Warnings {
				text.WriteString(w.Text(name) + "\n")
			}
			require.NotContains(t, text.String(), "hunter2")
			require.NotContains(t, text.String(), "battery")
			golden(t, strings.TrimSuffix(file, ".yaml")+".warn", text.String())
		})
	}
}
