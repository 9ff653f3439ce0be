package work_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/fakeplane"
	"github.com/signalboxhq/signalbox/agent/work"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

const long = time.Minute

func TestCancelLetsTheStepCleanUp(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	tell, reached := b.reached(t, "ready")
	told, cleaned := b.reached(t, "cleaned")
	lease := b.script(t, "trap '"+told+" exit 0' TERM\n"+tell+"while :; do sleep 0.05; done")
	reached()
	b.plane.AwaitPhase(lease, agentv1.Phase_PHASE_RUNNING)
	b.plane.Order(lease, agentv1.Order_ACTION_STOP, long)
	cleaned()
	report := b.plane.Report(lease)
	requireOutcome(t, report, "canceled", "control", "stopped on request")
	require.True(t, report.GetStarted())
}

func TestKill(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	tell, reached := b.reached(t, "ready")
	lease := b.script(t, "trap '' TERM\n"+tell+"sleep 600")
	reached()
	b.plane.Order(lease, agentv1.Order_ACTION_KILL, 0)
	report := b.plane.Report(lease)
	requireOutcome(t, report, "canceled", "control", "stopped on request")
	require.EqualValues(t, 137, report.GetExitCode())
}

func TestCancelBeforeTheStepRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.slots = 1
	b.start(t)
	tell, reached := b.reached(t, "ready")
	gate, open := b.gate(t, "gate")
	first := b.script(t, tell+gate)
	reached()
	// A second lease in spite of one slot, as when an answer was lost: it waits.
	second := b.script(t, "exit 0")
	b.plane.Force(second)
	b.plane.AwaitPhase(second, agentv1.Phase_PHASE_STARTING)
	require.Zero(t, b.plane.Reports(second))
	b.plane.Order(second, agentv1.Order_ACTION_STOP, long)
	report := b.plane.Report(second)
	requireOutcome(t, report, "canceled", "control", "stopped on request")
	require.False(t, report.GetStarted())
	open()
	requireOutcome(t, b.plane.Report(first), "succeeded", "", "")
}

// TestStale holds that an attempt whose lease is gone is ended and never
// reported: its successor may be running elsewhere.
func TestStale(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	tell, reached := b.reached(t, "ready")
	lease := b.script(t, tell+"trap '' TERM; sleep 600")
	reached()
	b.plane.Lose(lease)
	next := b.script(t, "exit 0")
	requireOutcome(t, b.plane.Report(next), "succeeded", "", "")
	b.worker.Drain()
	require.NoError(t, <-b.ended)
	require.Zero(t, b.plane.Reports(lease))
}

func TestSlotsAreNeverOversold(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	tellA, reachedA := b.reached(t, "a")
	tellB, reachedB := b.reached(t, "b")
	gateA, openA := b.gate(t, "gateA")
	gateB, openB := b.gate(t, "gateB")
	a := b.script(t, tellA+gateA)
	bb := b.script(t, tellB+gateB)
	reachedA()
	reachedB()
	third := b.script(t, "exit 0")
	require.Zero(t, b.plane.Reports(third))
	openA()
	requireOutcome(t, b.plane.Report(a), "succeeded", "", "")
	requireOutcome(t, b.plane.Report(third), "succeeded", "", "")
	openB()
	requireOutcome(t, b.plane.Report(bb), "succeeded", "", "")
}

func TestManyShortAttempts(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	version := b.deploy(t, plan.Task{Name: "step", Command: []string{"true"}})
	var leases []int64
	for range 40 {
		leases = append(leases, b.plane.Queue(fakeplane.Attempt{Version: version, Run: id.New(), Task: "step"}))
	}
	for _, lease := range leases {
		requireOutcome(t, b.plane.Report(lease), "succeeded", "", "")
		require.Equal(t, 1, b.plane.Reports(lease))
	}
}

func TestDrainFinishesWhatThereIs(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	tell, reached := b.reached(t, "ready")
	gate, open := b.gate(t, "gate")
	running := b.script(t, tell+gate)
	reached()
	b.worker.Drain()
	b.plane.AwaitDraining()
	later := b.script(t, "exit 0")
	open()
	requireOutcome(t, b.plane.Report(running), "succeeded", "", "")
	require.NoError(t, <-b.ended)
	require.Zero(t, b.plane.Reports(later))
	require.Zero(t, b.worker.Held())
	require.Zero(t, b.plane.Alive(), "it said goodbye")
}

func TestDrainOfAnIdleAgent(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	b.plane.Opened(1)
	b.worker.Drain()
	require.NoError(t, <-b.ended)
}

func TestAKilledAgentLeavesItsSession(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	b.plane.Opened(1)
	b.end(t)
	require.Equal(t, 1, b.plane.Alive(), "its next life replaces it")
}

func TestSecondSignalStopsSteps(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*work.Worker){
		"grace": func(w *work.Worker) { w.StopSteps(long) },
		"kill":  func(w *work.Worker) { w.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t).start(t)
			tell, reached := b.reached(t, "ready")
			ignore := ""
			if name == "kill" {
				ignore = "trap '' TERM\n"
			}
			lease := b.script(t, ignore+tell+"sleep 600")
			reached()
			stop(b.worker)
			report := b.plane.Report(lease)
			requireOutcome(t, report, "lost", "infra", "the agent was shut down")
			require.NoError(t, <-b.ended)
		})
	}
}

func TestRevokedAgentEndsItsSteps(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	tell, reached := b.reached(t, "ready")
	b.script(t, "trap '' TERM\n"+tell+"sleep 600")
	reached()
	b.plane.Revoke()
	require.ErrorIs(t, <-b.ended, work.ErrRevoked)
}
