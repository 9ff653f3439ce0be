package pipelinedb

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Wanted names a version of a pipeline: the deployed one where Digest, in hex,
// is empty.
type Wanted struct{ Name, Digest string }

// Known is what there is of what was wanted.
type Known struct {
	Wanted Wanted
	// Digest and Plan are nil where no such version is there, or none is deployed.
	Digest []byte
	Plan   []byte
}

const sqlKnownVersions = `
	SELECT w.name, w.digest, v.digest, v.plan
	FROM unnest(@names::text[], @digests::text[]) AS w (name, digest)
	JOIN pipeline p ON p.org_id = @org_id AND p.workspace_id = @workspace_id AND p.name = w.name
	LEFT JOIN version v ON v.org_id = @org_id AND v.pipeline_id = p.id
		AND v.digest = CASE w.digest WHEN '' THEN p.deployed ELSE decode(w.digest, 'hex') END`

// Known looks up pipelines that others run. Those that are not there are left
// out.
func (s *Store) Known(ctx context.Context, by caller.Caller, wanted []Wanted) ([]Known, error) {
	names, digests := make([]string, len(wanted)), make([]string, len(wanted))
	for i, w := range wanted {
		names[i] = w.Name
		if _, err := hex.DecodeString(w.Digest); err == nil {
			digests[i] = w.Digest
		}
	}
	var out []Known
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, sqlKnownVersions, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "names": names, "digests": digests,
		})
		var k Known
		_, err := pgx.ForEachRow(rows, []any{&k.Wanted.Name, &k.Wanted.Digest, &k.Digest, &k.Plan}, func() error {
			out = append(out, k)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look up nested pipelines: %w", err)
	}
	return out, nil
}
