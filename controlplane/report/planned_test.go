package report_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/report"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// What an exit handler adds would never begin, and the handler wait for it until
// its time is over: the step fails and says so.
func TestAnExitHandlerAddsNoTasks(t *testing.T) {
	t.Parallel()
	g, err := engine.NewGraph(&plan.Plan{Format: plan.Format, Name: "p", Tasks: []plan.Task{
		{Name: "main", Run: "true"},
		{Name: "tpl", Run: "true", Template: true},
		{Name: "handler", Run: "true", Exit: plan.ExitAlways},
	}})
	require.NoError(t, err)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := engine.NewState(id.New())
	_, err = engine.Decide(g, s, engine.Start{Now: now})
	require.NoError(t, err)
	planned := []report.Planned{{ID: "more", Template: "tpl"}}
	command := func(task int32) engine.Report {
		a := report.Attempt{Lease: int64(task) + 1, Outcome: engine.OutcomeSucceeded, Planned: planned}
		return a.Command(g, s, now, engine.Lease{Task: task, Attempt: 1, ID: a.Lease, Granted: now})
	}

	require.Len(t, command(0).Members, 1)
	refused := command(2)
	require.Empty(t, refused.Members)
	require.Equal(t, engine.OutcomeFailed, refused.Outcome)
	require.True(t, refused.Final)
	require.Contains(t, refused.Reason, "$SB_PLAN: an exit handler adds no tasks")
}
