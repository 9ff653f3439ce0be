package billingdb_test

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/doctor"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/migrations"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// nester starts one pipeline, whichever is asked for.
type nester struct{ start advance.StartRun }

func (n *nester) Child(_ context.Context, p advance.ParentTask) (advance.StartRun, error) {
	c := n.start
	c.Cause, c.Parent = "parent", &advance.Parent{Run: p.Run, Task: p.Task, Attempt: p.Attempt, Path: p.Path, Root: p.Run, Depth: 1}
	return c, nil
}

func (n *nester) Left(context.Context, advance.RunKey) ([]byte, error) { return nil, nil }

// gpus are how many each task holds, by its path without numbers; of those that
// a step adds, their template's.
var gpus = map[string]int64{
	"plain": 2, "each": 1, "fold/train": 1, "fold/test": 0, "explore": 0, "explore/wide": 3, "explore/deep": 3, "gang": 2, "below": 4,
}

// everyKind are tasks of all kinds that may hold GPUs: those that the plan lists
// one by one, and those that come into being.
func everyKind() []plan.Task {
	task := func(name string, more func(*plan.Task)) plan.Task {
		t := plan.Task{Name: name, Run: "true", Pool: "default", Resources: plan.Resources{GPUs: int(gpus[name])}}
		if more != nil {
			more(&t)
		}
		return t
	}
	const fold = 2
	many := func(n int) *plan.ForEach { return &plan.ForEach{Count: n, Type: plan.TypeInt} }
	return []plan.Task{
		task("plain", nil),
		task("each", func(t *plan.Task) { t.ForEach = many(3) }),
		{Name: "fold", Pool: "default", Group: true, ForEach: many(2)},
		task("explore", nil),
		task("fit", func(t *plan.Task) { t.Template, t.Resources.GPUs = true, 3 }),
		task("gang", func(t *plan.Task) { t.Gang = &plan.Gang{Size: 2, Spread: plan.SpreadAny} }),
		{Name: "sub", Pool: "default", Pipeline: &plan.Nested{Name: "below"}},
		task("fold/train", func(t *plan.Task) { t.In, t.ForEach = fold+1, many(2) }),
		task("fold/test", func(t *plan.Task) { t.In, t.Needs = fold+1, []int{7} }),
	}
}

// drive answers every lease until the run has ended, each attempt taking another
// time.
func (p *place) drive(run id.UUID) {
	p.t.Helper()
	free := advance.Free{Slots: 9, GPUs: 9, Decisions: 9}
	for took := 7 * time.Millisecond; !p.ended(run); {
		work, err := p.a.Poll(p.t.Context(), advance.Poll{Org: p.org, Agent: p.agent, Session: p.session, Free: free, Wait: time.Second})
		require.NoError(p.t, err)
		p.exec(`UPDATE lease SET granted_at = granted_at - interval '10 minutes'`, nil)
		var reports []advance.AttemptReport
		for _, l := range work.Leases {
			r := advance.AttemptReport{Lease: l.ID, Run: l.Run, Outcome: engine.OutcomeSucceeded, Started: true, Duration: took}
			took += 13 * time.Millisecond
			if l.Task == "explore" {
				r.Planned = []advance.Planned{{ID: "wide", Template: "fit"}, {ID: "deep", Template: "fit", Needs: []string{"wide"}}}
			}
			reports = append(reports, r)
		}
		_, err = p.a.Report(p.t.Context(), advance.Report{Org: p.org, Agent: p.agent, Session: p.session, Reports: reports})
		require.NoError(p.t, err)
	}
}

func (p *place) ended(run id.UUID) bool {
	p.t.Helper()
	var state string
	require.NoError(p.t, p.db.Engine.QueryRow(p.t.Context(), `SELECT state FROM run WHERE id = $1`, run).Scan(&state))
	require.NotEqual(p.t, "failed", state)
	return state == "succeeded"
}

// everyKindRan is a run of tasks of every kind that has ended, and its child.
func (b *bundle) everyKindRan() (run, child id.UUID) {
	b.t.Helper()
	p := b.place("production")
	b.a.Stop()
	b.a = advance.New(b.db, slog.New(slog.DiscardHandler), nil)
	b.a.Nest(&nester{start: p.deployPlan("below", map[string]string{}, []plan.Task{{Name: "below", Run: "true", Pool: "default", Resources: plan.Resources{GPUs: 4}}})})
	require.NoError(b.t, b.a.Start(b.t.Context()))
	b.t.Cleanup(b.a.Stop)
	run = p.start(p.deployPlan("kinds", map[string]string{}, everyKind()))
	p.drive(run)
	require.NoError(b.t, b.db.Engine.QueryRow(b.t.Context(), `SELECT id FROM run WHERE parent_run = $1`, run).Scan(&child))
	return run, child
}

var numbers = regexp.MustCompile(`\[\d+\]`)

// requireGPUTime adds up what the bill shows of GPU time on each of its levels,
// and compares it with what was metered.
func (b *bundle) requireGPUTime(run, child id.UUID) {
	b.t.Helper()
	ctx := b.t.Context()
	var metered int64
	require.NoError(b.t, b.db.Engine.QueryRow(ctx, `SELECT sum(quantity)::bigint FROM usage WHERE meter = 'gpu_ms'`).Scan(&metered))
	listed := map[id.UUID]int64{}
	for _, r := range b.runs(b.month, usage.MeterGPUMS, 10) {
		listed[r.ID] = r.Quantity
	}
	sum, err := b.store.RunUsageOf(ctx, b.caller(), run)
	require.NoError(b.t, err)
	require.Equal(b.t, metered, sum.Own[usage.MeterGPUMS]+sum.Below[usage.MeterGPUMS])
	require.Equal(b.t, map[id.UUID]int64{run: sum.Own[usage.MeterGPUMS], child: sum.Below[usage.MeterGPUMS]}, listed)

	for run, want := range listed {
		attempts, err := b.store.Attempts(ctx, b.caller(), run, &b.month)
		require.NoError(b.t, err)
		for _, a := range attempts {
			require.Positive(b.t, a.TaskMS, a.Task)
			held, known := gpus[numbers.ReplaceAllString(a.Task, "")]
			require.True(b.t, known, a.Task)
			require.Equal(b.t, a.TaskMS*held, a.GPUMS, a.Task)
			want -= a.GPUMS
		}
		require.Zero(b.t, want)
	}
}

// Whatever a task is, and however it came into being, its GPU time is the same on
// every level of the bill.
func TestGPUTimeIsBilledOfEveryKindOfTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run, child := b.everyKindRan()
	b.requireGPUTime(run, child)
	attempts, err := b.store.Attempts(t.Context(), b.caller(), run, nil)
	require.NoError(t, err)
	var tasks []string
	for _, a := range attempts {
		tasks = append(tasks, a.Task)
	}
	require.ElementsMatch(t, strings.Fields(`plain each[0] each[1] each[2] explore explore/wide explore/deep gang
		fold[0]/train[0] fold[0]/train[1] fold[0]/test fold[1]/train[0] fold[1]/train[1] fold[1]/test`), tasks)
	found, err := doctor.Check(t.Context(), b.db)
	require.NoError(t, err)
	require.Empty(t, found)
}

// The step that adds the column finds out what older entries are billed for.
func TestGPUTimeOfOlderEntriesIsFoundOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run, child := b.everyKindRan()
	b.a.Stop()
	b.retakeGPUTime()
	b.requireGPUTime(run, child)

	// What added the tasks is not there, as in a run that went on where another
	// had ended.
	b.plant(`UPDATE journal SET detail = NULL WHERE path = 'explore'`, nil)
	b.retakeGPUTime()
	rows, _ := b.db.Engine.Query(t.Context(), `SELECT path FROM journal WHERE billed_gpu_ms IS NULL`)
	unknown, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"explore/wide", "explore/deep"}, unknown)
	attempts, err := b.store.Attempts(t.Context(), b.caller(), run, nil)
	require.NoError(t, err)
	for _, a := range attempts {
		if slices.Contains(unknown, a.Task) {
			require.Zero(t, a.GPUMS, "nobody can tell")
		}
	}
}

// retakeGPUTime takes the step that adds the column back, and again.
func (b *bundle) retakeGPUTime() {
	b.t.Helper()
	const before = 194
	require.NoError(b.t, migrations.Down(b.t.Context(), b.db.URL(), before))
	require.NoError(b.t, migrations.Up(b.t.Context(), b.db.URL()))
}
