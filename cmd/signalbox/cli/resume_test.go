package cli_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// A param that is to be its default again is named, and not sealed.
func TestAResumePutsParamsBack(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.runState = "failed"
	r := d.run("run", "resume", "train#12", "--unset", "lr", "--unset", "epochs")
	require.Zero(t, r.code, r.err)
	req, ok := d.fake.called("RestartRun")[0].msg.(*runv1.RestartRunRequest)
	require.True(t, ok)
	require.Equal(t, []string{"lr", "epochs"}, req.GetUnset())
	require.Empty(t, req.GetParams())
}
