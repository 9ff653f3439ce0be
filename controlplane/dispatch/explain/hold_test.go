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
	tomorrow := now.Add(24 * time.Hour)
	for want, hold := range map[string]explain.Hold{
		"it waits until 15:02:00 UTC":                                            {Kind: "wait", Until: until},
		"it waits until 2026-11-04 14:02:00 UTC":                                 {Kind: "wait", Until: tomorrow},
		"it waits for the signal go":                                             {Kind: "signal", Signal: "go"},
		"it waits for the signal go, until 15:02:00 UTC at the latest":           {Kind: "signal", Signal: "go", Until: until},
		"it waits for approval, 1 of 2 so far, until 15:02:00 UTC at the latest": {Kind: "approval", Approved: 1, Required: 2, Until: until},
		"it waits for somebody or something outside":                             {},
	} {
		// A pause of the run changes nothing about it.
		for _, run := range []string{"running", "paused"} {
			e := explain.Explain(now, explain.Task{RunState: run, State: "held", Hold: hold}, nil)
			require.Equal(t, explain.ReasonHeld, e.Reason)
			require.Equal(t, want, e.Text)
		}
	}
}

func TestWhatAnExitHandlerWaitsFor(t *testing.T) {
	t.Parallel()
	for exit, want := range map[string]string{
		"always":    "it runs when all other tasks have ended",
		"succeeded": "it runs when all other tasks have ended, if the run succeeds",
		"failed":    "it runs when all other tasks have ended, if the run fails",
		"canceled":  "it runs when all other tasks have ended, if the run is canceled",
	} {
		e := explain.Explain(now, explain.Task{RunState: "running", State: "pending", Exit: exit}, nil)
		require.Equal(t, explain.ReasonUpstream, e.Reason)
		require.Equal(t, want, e.Text)
	}
}
