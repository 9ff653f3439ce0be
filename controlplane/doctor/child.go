package doctor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/replay"
	"github.com/signalboxhq/signalbox/proto/id"
)

// What a task waits for that runs another pipeline: a run that goes on, or a wake
// that will start it, or tell its end.
const sqlComingChildren = `
	SELECT r.parent_task, r.parent_attempt
	FROM run r
	WHERE r.org_id = @org_id
		AND r.parent_run = @run_id
	UNION
	SELECT w.task, w.attempt
	FROM wake w
	WHERE w.org_id = @org_id
		AND w.run_id = @run_id
		AND w.kind IN ('child', 'child_ended')`

// children looks whether each child will come that a run waits for. One that has
// ended without a word is sqlStrayChildren's.
func (c *checker) children(ctx context.Context, tx pgx.Tx, org id.UUID, g *engine.Graph, s *engine.State, r *replay.Row) error {
	if s == nil || s.Run.Terminal() {
		return nil
	}
	waits := engine.Children(g, s)
	if len(waits) == 0 {
		return nil
	}
	rows, _ := tx.Query(ctx, sqlComingChildren, pgx.StrictNamedArgs{"org_id": org, "run_id": r.ID})
	coming := map[engine.Child]bool{}
	var one engine.Child
	_, err := pgx.ForEachRow(rows, []any{&one.Task, &one.Attempt}, func() error {
		coming[one] = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the children of a run: %w", err)
	}
	for _, child := range waits {
		if !coming[child] {
			c.add(KindWake, org, "%s waits for the run of its task %s, which nobody will start.", r, g.Path(s, child.Task))
		}
	}
	return nil
}
