package doctor

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

// What runs mean for each other: the counts of a line are those of its rows,
// whoever stands in one is a run that may, and whoever waits is waited for by a
// wake or by somebody who holds a place. All of it is written in one transaction
// with what it follows from, so that it holds at every moment.
const (
	sqlWrongLines = `
	SELECT l.org_id, l.pipeline_id::text AS thing,
		format('line %L counts %s held and %s waiting, but has %s and %s', l.key, l.held, l.waiting, m.held, m.waiting) AS text
	FROM line l
	CROSS JOIN LATERAL (
		SELECT count(a.slot) AS held, count(*) - count(a.slot) AS waiting
		FROM admission a
		WHERE a.org_id = l.org_id
			AND a.pipeline_id = l.pipeline_id
			AND a.key = l.key
	) m
	WHERE (l.held, l.waiting) <> (m.held, m.waiting)
	ORDER BY 1, 2`

	sqlStrayAdmissions = `
	SELECT a.org_id, a.run_id::text AS thing,
		CASE
			WHEN r.id IS NULL THEN 'stands in a line, but does not exist'
			WHEN a.slot IS NOT NULL AND r.finished_at IS NOT NULL THEN 'has ended, but holds its place'
			WHEN a.slot IS NOT NULL AND r.state = 'pending' THEN 'holds a place, but waits'
			WHEN a.slot IS NULL AND a.key IS NOT NULL THEN format('waits in its line, but is %s', r.state)
			ELSE format('waits for its pipeline, but is %s', r.state)
		END AS text
	FROM admission a
	LEFT JOIN run r ON r.org_id = a.org_id AND r.id = a.run_id
	WHERE NOT EXISTS (
			SELECT 1
			FROM wake w
			WHERE w.org_id = a.org_id
				AND (w.run_id = a.run_id OR (w.kind = 'resume' AND w.pipeline_id = a.pipeline_id))
		)
		AND (r.id IS NULL
			OR (a.slot IS NOT NULL AND r.finished_at IS NOT NULL AND NOT a.blocking)
			OR (a.slot IS NOT NULL AND r.state = 'pending' AND NOT a.paused)
			OR (a.slot IS NULL AND r.state <> 'pending')
			OR (a.paused AND NOT EXISTS (
				SELECT 1
				FROM pipeline p
				WHERE p.org_id = a.org_id
					AND p.id = a.pipeline_id
					AND p.paused)))
	ORDER BY 1, 2`

	sqlForgottenRuns = `
	SELECT r.org_id, r.id::text AS thing,
		CASE WHEN r.state = 'pending' THEN format('is pending (%s), but nobody will wake it', r.reason)
			ELSE format('is %s without a place in its line', r.state)
		END AS text
	FROM run r
	LEFT JOIN admission a ON a.org_id = r.org_id AND a.run_id = r.id
	WHERE r.finished_at IS NULL
		AND CASE WHEN r.state = 'pending' THEN a.run_id IS NULL ELSE r.concurrency_key IS NOT NULL AND a.slot IS NULL END
		AND NOT EXISTS (
			SELECT 1
			FROM wake w
			WHERE w.org_id = r.org_id
				AND w.run_id = r.id)
	ORDER BY 1, 2`

	sqlIdlePlaces = `
	SELECT l.org_id, l.pipeline_id::text AS thing,
		format('line %L has %s waiting and %s of %s places held, but nobody will give the next one', l.key, l.waiting, l.held, f.slots) AS text
	FROM line l
	CROSS JOIN LATERAL (
		SELECT a.slots
		FROM admission a
		WHERE a.org_id = l.org_id
			AND a.pipeline_id = l.pipeline_id
			AND a.key = l.key
			AND a.slot IS NULL
		ORDER BY a.ticket
		LIMIT 1
	) f
	WHERE l.held < f.slots
		AND NOT EXISTS (
			SELECT 1
			FROM admission a
			WHERE a.org_id = l.org_id
				AND a.pipeline_id = l.pipeline_id
				AND a.key = l.key
				AND a.blocking)
		AND NOT EXISTS (
			SELECT 1
			FROM wake w
			WHERE w.org_id = l.org_id
				AND w.kind = 'release'
				AND w.pipeline_id = l.pipeline_id
				AND w.key = l.key)
	ORDER BY 1, 2`

	// What ended a child its parent is told in the same transaction: children.
	sqlStrayChildren = `
	SELECT c.org_id, c.id::text AS thing, format('is the child of the run %s, which does not exist', c.parent_run) AS text
	FROM run c
	LEFT JOIN run p ON p.org_id = c.org_id AND p.id = c.parent_run
	WHERE c.parent_run IS NOT NULL
		AND p.id IS NULL
	ORDER BY 1, 2`

	sqlOldWakes = `
	SELECT w.org_id, w.pipeline_id::text AS thing, format('a wake (%s) was due at %s and is not served', w.kind, w.at) AS text
	FROM wake w
	WHERE w.at < @now::timestamptz - interval '1 minute'
	ORDER BY 1, 2`
)

// lines compares what runs that wait for each other say of it.
func (c *checker) lines(ctx context.Context, tx pgx.Tx) error {
	for _, check := range []struct {
		kind  Kind
		thing id.Kind
		sql   string
		args  pgx.StrictNamedArgs
	}{
		{KindLine, id.Pipeline, sqlWrongLines, nil},
		{KindLine, id.Run, sqlStrayAdmissions, nil},
		{KindLine, id.Run, sqlForgottenRuns, nil},
		{KindLine, id.Pipeline, sqlIdlePlaces, nil},
		{KindLine, id.Run, sqlStrayChildren, nil},
		{KindWake, id.Pipeline, sqlOldWakes, pgx.StrictNamedArgs{"now": c.now}},
	} {
		if err := c.told(ctx, tx, check.kind, check.thing, check.sql, check.args); err != nil {
			return err
		}
	}
	return nil
}

// told adds what a statement says of each thing.
func (c *checker) told(ctx context.Context, tx pgx.Tx, kind Kind, thing id.Kind, sql string, named pgx.StrictNamedArgs) error {
	rows, _ := tx.Query(ctx, sql, named)
	var org id.UUID
	var name, text string
	_, err := pgx.ForEachRow(rows, []any{&org, &name, &text}, func() error {
		u, err := uuid.Parse(name)
		c.add(kind, org, "%s: %s.", id.Format(thing, u), text)
		return err
	})
	if err != nil {
		return fmt.Errorf("look at what runs wait for: %w", err)
	}
	return nil
}
