package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// situation is a state of a run in which an attempt may end.
type situation struct {
	name      string
	onFailure plan.OnTaskFailure
	prepare   func(b *bench)
}

// bench is a run with a subject, task 0, whose attempt is live, and task 1.
type bench struct {
	t *testing.T
	g *engine.Graph
	s *engine.State
}

func (b *bench) do(c engine.Command) engine.Decision {
	b.t.Helper()
	d, err := engine.Decide(b.g, b.s, c)
	require.NoError(b.t, err)
	return d
}

func (b *bench) live() []engine.Lease { return []engine.Lease{{Task: 0, Attempt: 1, ID: 7}} }

var situations = []situation{
	{"normal", plan.OnFailureContinue, func(*bench) {}},
	{"stop_scheduling", plan.OnFailureStop, failOther},
	{"cancel_running", plan.OnFailureCancel, failOther},
	{"canceling", plan.OnFailureContinue, func(b *bench) {
		b.do(engine.Cancel{Now: testStart, Live: b.live()})
	}},
	{"deadline", plan.OnFailureContinue, func(b *bench) {
		b.do(engine.Deadline{Now: testStart.Add(time.Hour), Live: b.live()})
	}},
}

func failOther(b *bench) {
	b.do(engine.Report{
		Now: testStart, Lease: engine.Lease{Task: 1, Attempt: 1},
		Outcome: engine.OutcomeFailed, ExitCode: 1, Live: b.live(),
	})
}

var endings = []engine.Report{
	{Outcome: engine.OutcomeSucceeded},
	{Outcome: engine.OutcomeFailed, ExitCode: 1},
	{Outcome: engine.OutcomeFailed, ExitCode: 1, Final: true},
	{Outcome: engine.OutcomeFailed, ExitCode: 2},
	{Outcome: engine.OutcomeFailed, ExitCode: 75, Final: true},
	{Outcome: engine.OutcomeFailed, ExitCode: 77},
	{Outcome: engine.OutcomeFailed, Cause: engine.CauseInfra},
	{Outcome: engine.OutcomeTimedOut},
	{Outcome: engine.OutcomeCanceled},
	{Outcome: engine.OutcomeLost},
	{Outcome: engine.OutcomePreempted},
	{Outcome: engine.OutcomeRejected},
	{Outcome: engine.OutcomeRefused},
	{Outcome: engine.OutcomeRefused, Cause: engine.CauseInput},
	{Outcome: engine.OutcomeSkipped},
	{Outcome: engine.OutcomeSuspended},
}

// TestAttemptEnds is the table of model.md §3: every end of an attempt, with
// and without budget, in every situation of its run.
func TestAttemptEnds(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("exit code 2 is in `never`; ! = retryable: false; used = user/infra/preempt/rejected\n\n")
	fmt.Fprintf(&b, "%-15s %-6s %-16s   %-9s %-9s %-9s %-6s %-8s %s\n",
		"situation", "budget", "report", "outcome", "cause", "next", "wait", "used", "reason")
	for _, sit := range situations {
		for _, budget := range []int{0, 1} {
			for _, ending := range endings {
				b.WriteString(endRow(t, sit, budget, ending))
			}
		}
	}
	golden(t, "testdata/ends.golden", b.String())
}

func endRow(t *testing.T, sit situation, budget int, r engine.Report) string {
	t.Helper()
	subject := plan.Task{Name: "subject", Retry: plan.Retry{
		User: budget, Infra: budget, Preempt: budget, Base: 1000, Never: []string{"exit:2"},
	}}
	b := &bench{t: t, g: graph(t, subject, task("other")), s: engine.NewState(id.UUID{1})}
	b.g.Plan.OnFailure, b.g.Plan.Deadline = sit.onFailure, 3_600_000
	b.do(engine.Start{Now: testStart})
	sit.prepare(b)

	now := testStart.Add(2 * time.Hour)
	r.Now, r.Lease = now, b.live()[0]
	d := b.do(r)
	e, tk := d.Entries[0], b.s.Tasks[0]
	require.Equal(t, tk.State, e.Next)

	report := r.Outcome.String()
	if r.Cause != engine.CauseNone {
		report += " " + r.Cause.String()
	}
	if r.ExitCode != 0 {
		report += fmt.Sprintf(" %d", r.ExitCode)
	}
	if r.Final {
		report += "!"
	}
	wait := "-"
	if e.Next == engine.TaskOpen {
		wait = "0s"
		if !e.RetryAt.IsZero() {
			wait = e.RetryAt.Sub(now).String()
		}
	}
	used := fmt.Sprintf("%d/%d/%d/%d", tk.UsedUser, tk.UsedInfra, tk.UsedPreempt, tk.Rejected)
	return strings.TrimRight(fmt.Sprintf("%-15s %-6d %-16s → %-9s %-9s %-9s %-6s %-8s %s",
		sit.name, budget, report, e.Outcome, e.Cause, e.Next, wait, used, e.Reason), " ") + "\n"
}

// Ten rejections are free, further ones cost the infra budget.
func TestRejectionsAreFreeTenTimes(t *testing.T) {
	t.Parallel()
	agent := id.UUID{9}
	g := graph(t, plan.Task{Name: "a", Retry: plan.Retry{Infra: 1}})
	s := started(t, g)
	for i := range int32(11) {
		d, err := engine.Decide(g, s, engine.Report{
			Now: testStart, Lease: engine.Lease{Task: 0, Attempt: i + 1, Agent: agent}, Outcome: engine.OutcomeRejected,
		})
		require.NoError(t, err)
		require.Equal(t, engine.Avoid{Agent: agent, Until: testStart.Add(5 * time.Minute)}, d.Opened[0].Avoid)
	}
	require.EqualValues(t, 10, s.Tasks[0].Rejected)
	require.EqualValues(t, 1, s.Tasks[0].UsedInfra)
	_, err := engine.Decide(g, s, engine.Report{
		Now: testStart, Lease: engine.Lease{Task: 0, Attempt: 12}, Outcome: engine.OutcomeRejected,
	})
	require.NoError(t, err)
	require.Equal(t, engine.RunFailed, s.Run)
}

// A failure of a tolerated task counts as success; the deadline's does not.
func TestTolerate(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[engine.Outcome]engine.TaskState{
		engine.OutcomeFailed:   engine.TaskTolerated,
		engine.OutcomeTimedOut: engine.TaskTolerated,
		engine.OutcomeLost:     engine.TaskTolerated,
		engine.OutcomeRefused:  engine.TaskTolerated,
		engine.OutcomeSkipped:  engine.TaskSkipped,
	} {
		g := graph(t, plan.Task{Name: "a", Tolerate: true}, task("b", 0))
		s := finish(t, g, started(t, g), 0, outcome)
		require.Equal(t, want, s.Tasks[0].State, outcome)
	}
}

// The agent that lost an attempt is avoided by the next one only.
func TestAvoidConcernsTheNextAttempt(t *testing.T) {
	t.Parallel()
	g := graph(t, plan.Task{Name: "a", Retry: plan.Retry{User: 1, Infra: 1}})
	s := started(t, g)
	report := func(attempt int32, o engine.Outcome) engine.Avoid {
		d, err := engine.Decide(g, s, engine.Report{
			Now: testStart, Lease: engine.Lease{Task: 0, Attempt: attempt, Agent: id.UUID{9}}, Outcome: o,
		})
		require.NoError(t, err)
		return d.Opened[0].Avoid
	}
	require.Equal(t, engine.Avoid{Agent: id.UUID{9}}, report(1, engine.OutcomeLost))
	require.Zero(t, report(2, engine.OutcomeFailed))
}
