package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidateOfflineNeedsNoServer(t *testing.T) {
	t.Parallel()
	d := setupLoggedOut(t)
	d.write("good.yaml", "signalbox: v1\nname: good\ntasks:\n  a: {run: echo}\n")
	d.write("bad.yaml", "signalbox: v1\nname: bad\ntasks:\n  a: {runn: echo}\n")

	r := d.run("validate", "--offline", "good.yaml")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "good.yaml: good is valid, version ")

	r = d.run("validate", "--offline", "bad.yaml")
	require.Equal(t, 65, r.code)
	require.Contains(t, r.err, "bad.yaml:4:7: tasks.a.runn: unknown key `runn`")
	require.Empty(t, d.fake.called("ValidatePipeline"))
}
