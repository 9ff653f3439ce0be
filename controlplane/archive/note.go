package archive

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

const sqlNoteRuns = `
	INSERT INTO archived_run (org_id, run_id, seq, digest, digest_version, folder, archived_at)
	SELECT k.org_id, k.run_id, k.seq, k.digest, @version, @folder, @now
	FROM unnest(@orgs::uuid[], @runs::uuid[], @seqs::bigint[], @digests::bytea[]) AS k (org_id, run_id, seq, digest)`

// What a folder's entries used is theirs until they are dropped.
const sqlNoteUsage = `
	INSERT INTO archived_usage (org_id, part, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, quantity)
	SELECT k.org_id, @folder, k.meter, k.workspace_id, k.pool_id, k.pipeline_id, k.label_set_id, k.hour, k.quantity
	FROM unnest(@orgs::uuid[], @meters::text[], @workspaces::uuid[], @pools::uuid[], @pipelines::uuid[], @label_sets::bigint[],
		@hours::timestamptz[], @quantities::bigint[]) AS k (org_id, meter, workspace_id, pool_id, pipeline_id, label_set_id, hour, quantity)`

// note writes down what was archived, and what it had used.
func (w *writing) note(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, sqlNoteRuns, pgx.StrictNamedArgs{
		"orgs": w.orgs, "runs": w.runs, "seqs": w.seqs, "digests": w.digests,
		"version": engine.DigestVersion, "folder": w.Folder, "now": w.now,
	})
	if err != nil {
		return fmt.Errorf("note what was archived: %w", err)
	}
	u := w.columns()
	_, err = tx.Exec(ctx, sqlNoteUsage, pgx.StrictNamedArgs{
		"folder": w.Folder, "orgs": u.orgs, "meters": u.meters, "workspaces": u.workspaces, "pools": u.pools,
		"pipelines": u.pipelines, "label_sets": u.labelSets, "hours": u.hours, "quantities": u.quantities,
	})
	if err != nil {
		return fmt.Errorf("note what was used: %w", err)
	}
	return nil
}

// usageColumns are rows of archived_usage, column by column.
type usageColumns struct {
	orgs, workspaces, pools, pipelines []id.UUID
	meters                             []string
	labelSets, quantities              []int64
	hours                              []time.Time
}

func (w *writing) columns() usageColumns {
	var u usageColumns
	for org, used := range w.used {
		for k, quantity := range used {
			u.orgs, u.meters = append(u.orgs, org), append(u.meters, string(k.Meter))
			u.workspaces, u.pools, u.pipelines = append(u.workspaces, k.Workspace), append(u.pools, k.Pool), append(u.pipelines, k.Pipeline)
			u.labelSets, u.hours, u.quantities = append(u.labelSets, k.LabelSet), append(u.hours, k.Hour), append(u.quantities, quantity)
		}
	}
	return u
}
