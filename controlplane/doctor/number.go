package doctor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

const sqlWrongNumbers = `
	SELECT p.org_id, p.id, p.name, p.next_number, coalesce(m.last, 0) AS last
	FROM pipeline p
	CROSS JOIN LATERAL (
		SELECT max(r.number) AS last
		FROM run r
		WHERE r.org_id = p.org_id
			AND r.pipeline_id = p.id
	) m
	WHERE p.next_number <> coalesce(m.last, 0) + 1
	ORDER BY p.org_id, p.id`

type wrongNumber struct {
	OrgID      id.UUID
	ID         id.UUID
	Name       string
	NextNumber int64
	Last       int64
}

// numbers compares what a pipeline's next run will be called with the last one.
func (c *checker) numbers(ctx context.Context, tx pgx.Tx) error {
	rows, _ := tx.Query(ctx, sqlWrongNumbers)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[wrongNumber])
	if err != nil {
		return fmt.Errorf("compare the numbers of runs: %w", err)
	}
	for _, p := range found {
		c.add(KindNumber, p.OrgID, "the next run of pipeline %q (%s) gets number %d, but the last one has %d.",
			p.Name, id.Format(id.Pipeline, p.ID), p.NextNumber, p.Last)
	}
	return nil
}
