package secret_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/secret"
)

// FuzzParseReference holds that a reference has one spelling, and that none
// leads up a path.
func FuzzParseReference(f *testing.F) {
	for _, text := range []string{"env:TOKEN", "file:/run/x", "file:/a/../b", "k8s:ns/x#y", "env:", ":", "file://x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := secret.ParseReference(text)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.Equal(t, text, ref.String())
		require.NotContains(t, strings.Split(ref.Name, "/"), "..")
	})
}
