package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/controlplane/replay"
	"github.com/signalboxhq/signalbox/proto/id"
)

// What was dropped with its partition was counted before.
const sqlArchivedUsage = `
	SELECT a.meter, a.workspace_id, a.pool_id, a.pipeline_id, a.label_set_id, a.hour, sum(a.quantity)::bigint
	FROM archived_usage a
	WHERE a.org_id = @org_id
		AND a.dropped_at IS NOT NULL
	GROUP BY a.meter, a.workspace_id, a.pool_id, a.pipeline_id, a.label_set_id, a.hour`

// archivedUsage adds what entries used that are in the archive alone.
func archivedUsage(ctx context.Context, tx pgx.Tx, org id.UUID, derived replay.Tally) error {
	rows, _ := tx.Query(ctx, sqlArchivedUsage, pgx.StrictNamedArgs{"org_id": org})
	key := usage.Key{Org: org}
	var hour time.Time
	var quantity int64
	into := []any{&key.Meter, &key.Workspace, &key.Pool, &key.Pipeline, &key.LabelSet, &hour, &quantity}
	_, err := pgx.ForEachRow(rows, into, func() error {
		key.Hour = hour.UTC()
		derived[key] += quantity
		return nil
	})
	if err != nil {
		return fmt.Errorf("sum archived usage: %w", err)
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
func (c *checker) usage(ctx context.Context, tx pgx.Tx, org id.UUID, derived replay.Tally) error {
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
