package advance_test

import (
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/doctor"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func task(name string, needs ...int) plan.Task {
	return plan.Task{Name: name, Run: "true", Pool: "default", Needs: needs}
}

func dynamicPlan(tasks ...plan.Task) *plan.Plan {
	return &plan.Plan{Format: plan.Format, Name: "dynamic", Pool: "default", Tasks: tasks}
}

// drive answers every lease until nothing is left; it returns the paths of the
// steps in the order in which they were taken.
func (w *worker) drive(run id.UUID, slots int32, answer func(l advance.Lease) advance.AttemptReport) []string {
	w.t.Helper()
	var taken []string
	free := advance.Free{Slots: slots, Decisions: 8}
	work := w.offer(free)
	for w.state(run) == "running" {
		var reports []advance.AttemptReport
		for _, l := range work.Leases {
			if l.Asking == engine.AskNothing {
				taken = append(taken, l.Task)
			}
			reports = append(reports, answer(l))
		}
		if len(reports) == 0 {
			work = w.offer(free)
			continue
		}
		var err error
		work, err = w.a.Report(w.t.Context(), advance.Report{Org: w.org, Agent: w.agent, Session: w.session, Reports: reports, Free: free})
		require.NoError(w.t, err)
	}
	found, err := doctor.Check(w.t.Context(), w.db)
	require.NoError(w.t, err)
	require.Empty(w.t, found)
	return taken
}

// offer polls for steps and decisions.
func (w *worker) offer(free advance.Free) *advance.Work {
	w.t.Helper()
	work, err := w.a.Poll(w.t.Context(), advance.Poll{
		Org: w.org, Agent: w.agent, Session: w.session, Free: free, Wait: time.Second,
	})
	require.NoError(w.t, err)
	return work
}

func decided(l advance.Lease, a engine.Answer) advance.AttemptReport {
	r := ended(l, engine.OutcomeSucceeded)
	r.Started, r.Answer = false, &a
	return r
}

func TestAMapExpandsInChunks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(500)
	split, each := task("split"), task("each", 0)
	each.ForEach = &plan.ForEach{Items: "${{ tasks.split.outputs.x }}", Type: plan.TypeString}
	run := b.start(b.deploy(dynamicPlan(split, each, task("join", 1))))
	const n = 2500
	taken := w.drive(run, 500, func(l advance.Lease) advance.AttemptReport {
		if l.Asking == engine.AskBegin {
			require.Equal(t, "each", l.Task)
			return decided(l, engine.Answer{Yes: true, Count: n})
		}
		return ended(l, engine.OutcomeSucceeded)
	})
	require.Equal(t, "succeeded", b.state(run))
	require.Len(t, taken, n+2)
	require.Equal(t, "join", taken[len(taken)-1])
	require.Contains(t, taken, "each[2499]")
	chunks := queryOne[int](b, `SELECT count(*) FROM journal WHERE run_id = @run AND kind = 'task_expanded'`, pgx.NamedArgs{"run": run})
	require.Equal(t, 4, chunks)
	require.Zero(t, b.count("ready")+b.count("lease")+b.count("timer"))
	attempts := queryOne[int64](b, `SELECT sum(quantity)::bigint FROM usage WHERE meter = 'task_attempts'`, nil)
	require.EqualValues(t, n+2, attempts, "decisions are free")
}

func TestMaxParallelHolds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(50)
	each := task("each")
	each.ForEach = &plan.ForEach{Count: 20, Type: plan.TypeInt, MaxParallel: 3}
	run := b.start(b.deploy(dynamicPlan(each)))
	work := w.poll(50, 0)
	for done := 0; b.state(run) == "running"; done++ {
		require.Len(t, work.Leases, min(3, 20-done))
		first := work.Leases[0]
		next := w.report(50, ended(first, engine.OutcomeSucceeded))
		work.Leases = append(work.Leases[1:], next.Leases...)
	}
	require.Equal(t, "succeeded", b.state(run))
}

func TestAFalseConditionSkips(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(4)
	gate := task("gate", 0)
	gate.If = "tasks.a.outputs.f1 >= 0.85"
	run := b.start(b.deploy(dynamicPlan(task("a"), gate, task("after", 1))))
	taken := w.drive(run, 4, func(l advance.Lease) advance.AttemptReport {
		if l.Asking == engine.AskNothing {
			return ended(l, engine.OutcomeSucceeded)
		}
		r := decided(l, engine.Answer{})
		r.Reason = "condition_false: a.f1 (0.5) >= 0.85"
		return r
	})
	require.Equal(t, []string{"a"}, taken)
	require.Equal(t, "succeeded", b.state(run))
	require.Equal(t, "condition_false: a.f1 (0.5) >= 0.85", queryOne[string](b,
		`SELECT reason FROM journal WHERE run_id = @run AND path = 'gate' AND next = 'skipped'`, pgx.NamedArgs{"run": run}))
}

func TestALoopEndsWhenItIsDone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(4)
	loop := task("search")
	loop.Repeat = &plan.Repeat{Until: "outputs.x >= 5", Max: 10}
	run := b.start(b.deploy(dynamicPlan(loop, task("after", 0))))
	asked := 0
	taken := w.drive(run, 4, func(l advance.Lease) advance.AttemptReport {
		if l.Asking == engine.AskUntil {
			asked++
			return decided(l, engine.Answer{Yes: asked == 5})
		}
		return ended(l, engine.OutcomeSucceeded)
	})
	require.Equal(t, []string{"search[0]", "search[1]", "search[2]", "search[3]", "search[4]", "after"}, taken)
	require.Equal(t, "succeeded", b.state(run))
}

func TestAStepAddsTasks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(4)
	fit := task("fit")
	fit.Template = true
	run := b.start(b.deploy(dynamicPlan(fit, task("plan"), task("best", 1))))
	taken := w.drive(run, 4, func(l advance.Lease) advance.AttemptReport {
		r := ended(l, engine.OutcomeSucceeded)
		if l.Task == "plan" {
			r.Planned = []advance.Planned{
				{ID: "join", Template: "fit", Needs: []string{"lr-1", "lr-2"}}, {ID: "lr-1", Template: "fit"}, {ID: "lr-2", Template: "fit"},
			}
		}
		return r
	})
	require.Equal(t, []string{"plan", "plan/lr-1", "plan/lr-2", "plan/join", "best"}, taken)
	require.Equal(t, "succeeded", b.state(run))
	other := dynamicPlan(fit, task("plan"))
	other.Name = "other"
	refused := b.start(b.deploy(other))
	w.drive(refused, 4, func(l advance.Lease) advance.AttemptReport {
		r := ended(l, engine.OutcomeSucceeded)
		r.Planned = []advance.Planned{{ID: "x", Template: "plan"}}
		return r
	})
	require.Equal(t, "failed", b.state(refused))
}

// What is expanded is found again by a replica that has never seen the run, and a
// cancel ends all of it with one entry.
func TestACancelEndsAMapAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(5)
	each := task("each")
	each.ForEach = &plan.ForEach{Count: 3000, Type: plan.TypeInt}
	run := b.start(b.deploy(dynamicPlan(each)))
	leases := w.poll(5, time.Second).Leases
	require.Len(t, leases, 5)
	require.Eventually(t, func() bool { return b.count("ready") == 2995 }, 10*time.Second, 10*time.Millisecond)
	b.a = b.replica()
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run)}))
	require.Zero(t, b.count("ready"))
	require.Equal(t, "canceling", b.state(run))
	for _, l := range slices.Clone(leases) {
		w.report(0, ended(l, engine.OutcomeCanceled))
	}
	require.Equal(t, "canceled", b.state(run))
	require.Less(t, queryOne[int](b, `SELECT count(*) FROM journal WHERE run_id = @run`, pgx.NamedArgs{"run": run}), 15)
}
