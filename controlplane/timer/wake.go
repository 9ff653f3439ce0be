package timer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Wakes that are not ripe yet are those of runs that start later; a fresh one is
// left to the replica that wrote it for a moment, and is here only if that died.
const sqlDueWakes = `
	SELECT w.at, w.org_id, w.id, w.kind, coalesce(w.run_id, @nobody), w.pipeline_id, coalesce(w.key, ''), w.task, w.attempt,
		coalesce(w.child_id, @nobody), w.answer, w.force, w.reason
	FROM wake w
	WHERE w.at <= now()
		AND (w.at, w.org_id, w.id) > (@at, @org_id, @id)
	ORDER BY w.at, w.org_id, w.id
	LIMIT @limit`

// wakePlace is where a page of due wakes ended.
type wakePlace struct {
	at      time.Time
	org, id id.UUID
}

// wakes serves all wakes that are due.
func (t *Ticker) wakes(ctx context.Context, conn *pgx.Conn) error {
	var last wakePlace
	for {
		due, err := pageOfWakes(ctx, conn, &last)
		if err != nil {
			return err
		}
		var served errgroup.Group
		served.SetLimit(parallel)
		for _, w := range due {
			served.Go(func() error {
				t.wake(ctx, w)
				return nil
			})
		}
		_ = served.Wait()
		if len(due) < limit {
			return nil
		}
	}
}

// pageOfWakes reads the next due wakes, and moves the place behind them.
func pageOfWakes(ctx context.Context, conn *pgx.Conn, last *wakePlace) ([]advance.Wake, error) {
	rows, err := conn.Query(ctx, sqlDueWakes, pgx.StrictNamedArgs{
		"at": last.at, "org_id": last.org, "id": last.id, "limit": limit, "nobody": id.Nil,
	})
	if err != nil {
		return nil, fmt.Errorf("read due wakes: %w", err)
	}
	var due []advance.Wake
	var w advance.Wake
	_, err = pgx.ForEachRow(rows, []any{
		&last.at, &w.Org, &w.ID, &w.Kind, &w.Run, &w.Pipeline, &w.Key, &w.Task, &w.Attempt, &w.Child, &w.Answer, &w.Force, &w.Reason,
	}, func() error {
		last.org, last.id = w.Org, w.ID
		due = append(due, w)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read due wakes: %w", err)
	}
	return due, nil
}

func (t *Ticker) wake(ctx context.Context, w advance.Wake) {
	resting := advance.Due{RunKey: advance.RunKey{Org: w.Org, Run: w.ID}, Kind: "wake"}
	if t.rests(resting) {
		return
	}
	if err := t.advancer.Wake(ctx, w); err != nil && ctx.Err() == nil {
		t.rest(resting)
		t.log.LogAttrs(ctx, slog.LevelWarn, "a wake was not served; it will be again", slog.String("kind", string(w.Kind)), slog.Any("error", err))
	}
}
