package work_test

import (
	"os"
	"path/filepath"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/fakeplane"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// TestOutage is a kill -9 of the control plane in the middle of a step: the step
// runs on, its outcome waits, one attempt is all there is.
func TestOutage(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	tell, reached := b.reached(t, "ready")
	gate, open := b.gate(t, "gate")
	lease := b.script(t, tell+gate+"echo survived")
	reached()
	b.plane.Down()
	open()
	b.awaitSpooled(t)
	b.plane.Up()
	requireOutcome(t, b.plane.Report(lease), "succeeded", "", "")
	require.Equal(t, "stdout: survived\n", b.logText(t, "step"))
	require.Len(t, b.plane.Opened(1), 1, "the session lives on")
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"Poll", "Report", "OpenSession"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			version := b.deploy(t, plan.Task{Name: "step", Run: "echo ran >> " + filepath.Join(b.dir, "ran")})
			lease := b.plane.Queue(fakeplane.Attempt{Version: version, Run: b.run, Task: "step"})
			b.plane.LoseAnswer(method)
			b.start(t)
			requireOutcome(t, b.plane.Report(lease), "succeeded", "", "")
			b.worker.Drain()
			require.NoError(t, <-b.ended)
			ran, err := os.ReadFile(filepath.Join(b.dir, "ran"))
			require.NoError(t, err)
			require.Equal(t, "ran\n", string(ran))
		})
	}
}

func TestPassingFaultsOfInputsAndPlans(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, method := range []string{"GetPlan", "GetInputs", "OpenSession", "OfferSealingKey"} {
		b.plane.Fail(method, 2, connect.CodeUnavailable, faultv1.Reason_REASON_UNAVAILABLE)
	}
	b.start(t)
	requireOutcome(t, b.plane.Report(b.script(t, "exit 0")), "succeeded", "", "")
}

func TestReportsAreRetriedOneByOne(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	b.plane.Fail("one report", 2, connect.CodeUnavailable, faultv1.Reason_REASON_UNAVAILABLE)
	lease := b.script(t, "exit 0")
	requireOutcome(t, b.plane.Report(lease), "succeeded", "", "")
	require.Equal(t, 3, b.plane.Reports(lease))
}

// TestReportThatIsRefused holds that an attempt ends even if the control plane
// does not take what the agent has to say about it.
func TestReportThatIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	b.plane.Fail("Report", 1, connect.CodeInvalidArgument, faultv1.Reason_REASON_INVALID_ARGUMENT)
	report := b.plane.Report(b.script(t, "exit 0"))
	requireOutcome(t, report, "failed", "user", "the control plane refused the report")
	require.True(t, report.GetFinal())
}

func TestSessionExpired(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	tell, reached := b.reached(t, "ready")
	lost := b.script(t, "trap '' TERM\n"+tell+"sleep 600")
	reached()
	b.plane.ExpireSessions()
	opened := b.plane.Opened(2)
	require.NotEmpty(t, opened[1].GetReplaces())
	require.Equal(t, []int64{lost}, opened[1].GetAdopted())
	// The lease is gone, so the step is ended and its slot is free.
	for range b.slots {
		requireOutcome(t, b.plane.Report(b.script(t, "exit 0")), "succeeded", "", "")
	}
	require.Zero(t, b.plane.Reports(lost))
}

// TestRestart is an agent that is killed while the control plane is away: what
// had ended is reported by the next life, what ran is lost.
func TestRestart(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	tell, reached := b.reached(t, "ready")
	gate, open := b.gate(t, "gate")
	tellRunning, reachedRunning := b.reached(t, "running")
	ended := b.script(t, tell+gate)
	running := b.script(t, tellRunning+"sleep 600")
	reached()
	reachedRunning()
	b.plane.Down()
	open()
	b.awaitSpooled(t)
	b.end(t)
	b.plane.Up()
	b.start(t)
	opened := b.plane.Opened(2)
	require.Equal(t, b.plane.Session(0), opened[1].GetReplaces())
	// An agent that is ended in order knows how its step ended; TestKilledAgent
	// of package process is the other case.
	require.Equal(t, []int64{ended, running}, opened[1].GetAdopted())
	requireOutcome(t, b.plane.Report(ended), "succeeded", "", "")
	requireOutcome(t, b.plane.Report(running), "lost", "infra", "the agent was shut down")
	b.worker.Drain()
	require.NoError(t, <-b.ended)
	left, err := os.ReadDir(filepath.Join(b.dir, "spool"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestStaleOutcomeOfAnEarlierLifeIsDropped(t *testing.T) {
	t.Parallel()
	b := setup(t).start(t)
	tell, reached := b.reached(t, "ready")
	gate, open := b.gate(t, "gate")
	lease := b.script(t, tell+gate)
	reached()
	b.plane.Down()
	open()
	b.awaitSpooled(t)
	b.end(t)
	b.plane.Lose(lease)
	b.plane.Up()
	b.start(t)
	b.plane.AwaitReports(lease, 1)
	b.worker.Drain()
	require.NoError(t, <-b.ended)
	left, err := os.ReadDir(filepath.Join(b.dir, "spool"))
	require.NoError(t, err)
	require.Empty(t, left)
}
