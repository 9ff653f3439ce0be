package doctor

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

// The hot tables have no foreign keys: these are what those would refuse. Each
// statement counts the rows that refer to one missing thing.
const (
	sqlOrphansOfJournal = `
	SELECT j.org_id, j.run_id::text AS missing, count(*) AS rows
	FROM journal j
	LEFT JOIN run r ON r.org_id = j.org_id AND r.id = j.run_id
	WHERE r.id IS NULL
	GROUP BY j.org_id, j.run_id
	ORDER BY 1, 2`

	sqlOrphansOfReady = `
	SELECT t.org_id, t.run_id::text AS missing, count(*) AS rows
	FROM ready t
	LEFT JOIN run r ON r.org_id = t.org_id AND r.id = t.run_id
	WHERE r.id IS NULL
	GROUP BY t.org_id, t.run_id
	ORDER BY 1, 2`

	sqlOrphansOfLease = `
	SELECT t.org_id, t.run_id::text AS missing, count(*) AS rows
	FROM lease t
	LEFT JOIN run r ON r.org_id = t.org_id AND r.id = t.run_id
	WHERE r.id IS NULL
	GROUP BY t.org_id, t.run_id
	ORDER BY 1, 2`

	sqlOrphansOfTimer = `
	SELECT t.org_id, t.run_id::text AS missing, count(*) AS rows
	FROM timer t
	LEFT JOIN run r ON r.org_id = t.org_id AND r.id = t.run_id
	WHERE r.id IS NULL
	GROUP BY t.org_id, t.run_id
	ORDER BY 1, 2`

	sqlOrphansOfStartKey = `
	SELECT t.org_id, t.run_id::text AS missing, count(*) AS rows
	FROM start_key t
	LEFT JOIN run r ON r.org_id = t.org_id AND r.id = t.run_id
	WHERE r.id IS NULL
	GROUP BY t.org_id, t.run_id
	ORDER BY 1, 2`

	sqlRunsWithoutPipeline = `
	SELECT r.org_id, r.pipeline_id::text AS missing, count(*) AS rows
	FROM run r
	LEFT JOIN pipeline p ON p.org_id = r.org_id AND p.id = r.pipeline_id AND p.workspace_id = r.workspace_id
	WHERE p.id IS NULL
	GROUP BY r.org_id, r.pipeline_id
	ORDER BY 1, 2`

	sqlRunsWithoutLabels = `
	SELECT r.org_id, r.label_set_id::text AS missing, count(*) AS rows
	FROM run r
	LEFT JOIN label_set l ON l.org_id = r.org_id AND l.id = r.label_set_id
	WHERE l.id IS NULL
	GROUP BY r.org_id, r.label_set_id
	ORDER BY 1, 2`

	sqlLabelPairsWithoutSet = `
	SELECT t.org_id, t.label_set_id::text AS missing, count(*) AS rows
	FROM label_pair t
	LEFT JOIN label_set l ON l.org_id = t.org_id AND l.id = t.label_set_id
	WHERE l.id IS NULL
	GROUP BY t.org_id, t.label_set_id
	ORDER BY 1, 2`

	sqlUsageWithoutPipeline = `
	SELECT u.org_id, u.pipeline_id::text AS missing, count(*) AS rows
	FROM usage u
	LEFT JOIN pipeline p ON p.org_id = u.org_id AND p.id = u.pipeline_id AND p.workspace_id = u.workspace_id
	WHERE p.id IS NULL
	GROUP BY u.org_id, u.pipeline_id
	ORDER BY 1, 2`

	sqlUsageWithoutPool = `
	SELECT u.org_id, u.pool_id::text AS missing, count(*) AS rows
	FROM usage u
	LEFT JOIN pool p ON p.org_id = u.org_id AND p.id = u.pool_id
	WHERE p.id IS NULL
	GROUP BY u.org_id, u.pool_id
	ORDER BY 1, 2`

	sqlUsageWithoutLabels = `
	SELECT u.org_id, u.label_set_id::text AS missing, count(*) AS rows
	FROM usage u
	LEFT JOIN label_set l ON l.org_id = u.org_id AND l.id = u.label_set_id
	WHERE l.id IS NULL
	GROUP BY u.org_id, u.label_set_id
	ORDER BY 1, 2`

	// A key leads a repeated start to the run that it started: one of its pipeline.
	sqlStartKeysOfOthers = `
	SELECT t.org_id, t.run_id::text AS missing, count(*) AS rows
	FROM start_key t
	JOIN run r ON r.org_id = t.org_id AND r.id = t.run_id
	WHERE r.pipeline_id <> t.pipeline_id
	GROUP BY t.org_id, t.run_id
	ORDER BY 1, 2`

	sqlSessionsWithoutAgent = `
	SELECT t.org_id, t.agent_id::text AS missing, count(*) AS rows
	FROM session t
	LEFT JOIN agent a ON a.org_id = t.org_id AND a.id = t.agent_id AND a.pool_id = t.pool_id AND a.workspace_id = t.workspace_id
	WHERE a.id IS NULL
	GROUP BY t.org_id, t.agent_id
	ORDER BY 1, 2`

	// Lists find runs by the pairs, and show the set: both ways they are the same.
	sqlLabelSetsUnlikePairs = `
	SELECT l.org_id, l.id::text AS missing, count(*) AS rows
	FROM label_set l
	LEFT JOIN (
		SELECT p.org_id, p.label_set_id, jsonb_object_agg(p.key, p.value) AS labels
		FROM label_pair p
		GROUP BY p.org_id, p.label_set_id
	) p ON p.org_id = l.org_id AND p.label_set_id = l.id
	WHERE coalesce(p.labels, '{}') <> l.labels
	GROUP BY l.org_id, l.id
	ORDER BY 1, 2`

	// A correction must take back a row of its own key, and no more than that.
	sqlCorrectionsOfNothing = `
	SELECT u.org_id, coalesce(u.reverses::text, '') AS missing, count(*) AS rows
	FROM usage u
	LEFT JOIN usage o ON o.org_id = u.org_id AND o.id = u.reverses AND o.kind = 'metered' AND o.meter = u.meter
		AND o.workspace_id = u.workspace_id AND o.pool_id = u.pool_id AND o.pipeline_id = u.pipeline_id
		AND o.label_set_id = u.label_set_id AND o.hour = u.hour
	WHERE u.kind = 'correction'
		AND o.id IS NULL
	GROUP BY u.org_id, u.reverses
	ORDER BY 1, 2`
)

// orphans looks for rows that refer to what is not there.
func (c *checker) orphans(ctx context.Context, tx pgx.Tx) error {
	for _, check := range []struct {
		table, thing string
		kind         id.Kind // of the thing's id; empty where that is a number
		sql          string
	}{
		{"journal", "run", id.Run, sqlOrphansOfJournal},
		{"ready", "run", id.Run, sqlOrphansOfReady},
		{"lease", "run", id.Run, sqlOrphansOfLease},
		{"timer", "run", id.Run, sqlOrphansOfTimer},
		{"start_key", "run", id.Run, sqlOrphansOfStartKey},
		{"run", "pipeline", id.Pipeline, sqlRunsWithoutPipeline},
		{"run", "label set", "", sqlRunsWithoutLabels},
		{"label_pair", "label set", "", sqlLabelPairsWithoutSet},
		{"start_key", "run of the same pipeline", id.Run, sqlStartKeysOfOthers},
		{"session", "agent of the same pool", id.Agent, sqlSessionsWithoutAgent},
		{"label_set", "same labels in label_pair, of set", "", sqlLabelSetsUnlikePairs},
		{"usage", "pipeline", id.Pipeline, sqlUsageWithoutPipeline},
		{"usage", "pool", id.Pool, sqlUsageWithoutPool},
		{"usage", "label set", "", sqlUsageWithoutLabels},
		{"usage", "metered row of the same key", "", sqlCorrectionsOfNothing},
	} {
		rows, _ := tx.Query(ctx, check.sql)
		var o orphan
		_, err := pgx.ForEachRow(rows, []any{&o.org, &o.missing, &o.rows}, func() error {
			name, err := o.name(check.kind)
			c.add(KindOrphan, o.org, "rows of %s that refer to the %s %s, which does not exist: %d.", check.table, check.thing, name, o.rows)
			return err
		})
		if err != nil {
			return fmt.Errorf("look for orphans in %s: %w", check.table, err)
		}
	}
	return nil
}

// orphan is a number of rows that refer to one missing thing.
type orphan struct {
	org     id.UUID
	missing string
	rows    int64
}

func (o orphan) name(kind id.Kind) (string, error) {
	if kind == "" {
		return o.missing, nil
	}
	u, err := uuid.Parse(o.missing)
	return id.Format(kind, u), err
}
