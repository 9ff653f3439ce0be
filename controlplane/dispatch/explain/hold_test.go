package explain_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/explain"
)

func TestWhatAHeldTaskWaitsFor(t *testing.T) {
	t.Parallel()
	until := now.Add(time.Hour)
	for want, hold := range map[string]explain.Hold{
		"it waits until 15:02:00 UTC":                                            {Kind: "wait", Until: until},
		"it waits for the signal go":                                             {Kind: "signal", Signal: "go"},
		"it waits for the signal go, until 15:02:00 UTC at the latest":           {Kind: "signal", Signal: "go", Until: until},
		"it waits for approval, 1 of 2 so far, until 15:02:00 UTC at the latest": {Kind: "approval", Approved: 1, Required: 2, Until: until},
		"it waits for somebody or something outside":                             {},
	} {
		e := explain.Explain(now, explain.Task{RunState: "running", State: "held", Hold: hold}, nil)
		require.Equal(t, explain.ReasonHeld, e.Reason)
		require.Equal(t, want, e.Text)
	}
}
