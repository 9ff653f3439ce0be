package doctor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/replay"
	"github.com/signalboxhq/signalbox/proto/id"
)

// What a task waits for that runs another pipeline: its child, or a wake that will
// start it or tell its end.
const sqlAwaitedChildren = `
	SELECT r.parent_task, r.parent_attempt, r.id, r.finished_at IS NOT NULL AS ended
	FROM run r
	WHERE r.org_id = @org_id
		AND r.parent_run = @run_id
	UNION ALL
	SELECT w.task, w.attempt, w.child_id, false
	FROM wake w
	WHERE w.org_id = @org_id
		AND w.run_id = @run_id
		AND w.kind IN ('child', 'child_ended')`

// children looks whether each child will come, or come to its end, that a run
// waits for. Only the fold knows which: what is stopped by force, or starts anew,
// waits for its child no more.
func (c *checker) children(ctx context.Context, tx pgx.Tx, org id.UUID, g *engine.Graph, s *engine.State, r *replay.Row) error {
	if s == nil || s.Run.Terminal() {
		return nil
	}
	waits := engine.Children(g, s)
	if len(waits) == 0 {
		return nil
	}
	coming, ended := map[engine.Child]bool{}, map[engine.Child]id.UUID{}
	rows, _ := tx.Query(ctx, sqlAwaitedChildren, pgx.StrictNamedArgs{"org_id": org, "run_id": r.ID})
	var of engine.Child
	var child id.UUID
	var over bool
	_, err := pgx.ForEachRow(rows, []any{&of.Task, &of.Attempt, &child, &over}, func() error {
		if over {
			ended[of] = child
		} else {
			coming[of] = true
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the children of a run: %w", err)
	}
	for _, of := range waits {
		child, over := ended[of]
		switch {
		case coming[of]:
		case over:
			c.add(KindWake, org, "%s waits for the run of its task %s: nobody told it that %s has ended.", r, g.Path(s, of.Task), id.Format(id.Run, child))
		default:
			c.add(KindWake, org, "%s waits for the run of its task %s, which nobody will start.", r, g.Path(s, of.Task))
		}
	}
	return nil
}
