package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/policy"
)

// FuzzParse holds that a policy is read, or refused with a reason.
func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("[allow]\npipelines = [\"*\"]\nscripts = true"))
	f.Add([]byte("[max]\nmemory = \"1Gi\"\ncpu = 1e400"))
	f.Add([]byte("= ["))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := policy.Parse(content)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.Len(t, p.Digest(), 32)
		_ = p.Check(policy.Task{Pipeline: "p"})
	})
}
