package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/replay"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// tally is the usage of one organization as its journals tell it.
type tally map[usage.Key]int64

// meter adds what a run used.
func meter(org id.UUID, r *replay.Row, v *version, s *engine.State, entries []journal.Row, derived tally) {
	began := false
	for i := range entries {
		e := &entries[i]
		if e.Kind != engine.KindAttemptEnded || e.Attempt < 0 {
			continue // decisions are free
		}
		task := taskOf(v.graph, s, e.Task)
		if task == nil {
			continue // the fold says what is wrong with it
		}
		a := usage.Attempt{
			Org: org, Workspace: r.WorkspaceID, Pool: v.pools[task.Pool], Pipeline: r.PipelineID, LabelSet: r.LabelSetID,
			Started: e.Started, Finished: e.Finished, Recorded: e.At,
			Billable:   usage.Billable(e.Outcome.String(), !e.Started.IsZero()),
			GPUs:       int32(task.Resources.GPUs),
			FirstOfRun: !began && !e.Started.IsZero(),
		}
		began = began || a.FirstOfRun
		for _, q := range usage.Measure(a) {
			derived[q.Key] += q.Value
		}
	}
}

// taskOf is the plan of a task; of a run whose journal cannot be folded only the
// pipeline's own are known.
func taskOf(g *engine.Graph, s *engine.State, task int32) *plan.Task {
	switch {
	case s != nil && task >= 0 && int(task) < len(s.Tasks):
		return g.Task(s, task)
	case task >= 0 && task < g.Own():
		return &g.Plan.Tasks[task]
	}
	return nil
}

// Corrections are no events of the journal's.
const sqlSumUsage = `
	SELECT u.meter, u.workspace_id, u.pool_id, u.pipeline_id, u.label_set_id, u.hour, sum(u.quantity)::bigint
	FROM usage u
	WHERE u.org_id = @org_id
		AND u.kind = 'metered'
	GROUP BY u.meter, u.workspace_id, u.pool_id, u.pipeline_id, u.label_set_id, u.hour
	ORDER BY u.hour, u.meter, u.pipeline_id, u.pool_id, u.workspace_id, u.label_set_id`

// usage compares what is stored with what the journals tell, key by key. It
// empties derived.
func (c *checker) usage(ctx context.Context, tx pgx.Tx, org id.UUID, derived tally) error {
	rows, _ := tx.Query(ctx, sqlSumUsage, pgx.StrictNamedArgs{"org_id": org})
	key := usage.Key{Org: org}
	var hour time.Time
	var stored int64
	into := []any{&key.Meter, &key.Workspace, &key.Pool, &key.Pipeline, &key.LabelSet, &hour, &stored}
	_, err := pgx.ForEachRow(rows, into, func() error {
		key.Hour = hour.UTC()
		if want := derived[key]; want != stored {
			c.differs(key, stored, want)
		}
		delete(derived, key)
		return nil
	})
	if err != nil {
		return fmt.Errorf("sum usage: %w", err)
	}
	var missing []usage.Key
	for k := range derived {
		missing = append(missing, k)
	}
	slices.SortFunc(missing, func(x, y usage.Key) int { return strings.Compare(place(x), place(y)) })
	for _, k := range missing {
		c.differs(k, 0, derived[k])
	}
	return nil
}

func (c *checker) differs(k usage.Key, stored, want int64) {
	c.add(KindUsage, k.Org, "%s is %d in the table, but %d by the journal.", place(k), stored, want)
}

func place(k usage.Key) string {
	return fmt.Sprintf("%s in the hour of %s (%s, %s, %s, label set %d)", k.Meter, k.Hour.Format("2006-01-02 15:04"),
		id.Format(id.Pipeline, k.Pipeline), id.Format(id.Pool, k.Pool), id.Format(id.Workspace, k.Workspace), k.LabelSet)
}
