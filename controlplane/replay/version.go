package replay

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Version is a plan, and the pools that its tasks name.
type Version struct {
	Graph *engine.Graph
	// Broken says why there is no graph.
	Broken string

	pools map[string]id.UUID
}

// Versions keeps the plans that were read last: runs come by age, and so follow
// few versions at a time.
type Versions map[versionKey]*Version

type versionKey struct {
	org, pipeline id.UUID
	digest        plan.Digest
}

const maxVersions = 200

// The pools are those of the pipeline's workspace: a plan names them only.
const sqlReadVersion = `
	SELECT v.plan,
		coalesce((SELECT array_agg(l.name ORDER BY l.id) FROM pool l WHERE l.org_id = p.org_id AND l.workspace_id = p.workspace_id), '{}'),
		coalesce((SELECT array_agg(l.id ORDER BY l.id) FROM pool l WHERE l.org_id = p.org_id AND l.workspace_id = p.workspace_id), '{}')
	FROM version v
	JOIN pipeline p ON p.org_id = v.org_id AND p.id = v.pipeline_id
	WHERE v.org_id = @org_id
		AND v.pipeline_id = @pipeline_id
		AND v.digest = @digest`

// Get returns the version of a run.
func (vs Versions) Get(ctx context.Context, tx pgx.Tx, org id.UUID, r *Row) (*Version, error) {
	key := versionKey{org: org, pipeline: r.PipelineID}
	copy(key.digest[:], r.Digest)
	if v := vs[key]; v != nil {
		return v, nil
	}
	v, err := readVersion(ctx, tx, key)
	if err != nil {
		return nil, err
	}
	if len(vs) >= maxVersions {
		clear(vs)
	}
	vs[key] = v
	return v, nil
}

func readVersion(ctx context.Context, tx pgx.Tx, key versionKey) (*Version, error) {
	var bytes []byte
	var names []string
	var ids []id.UUID
	args := pgx.StrictNamedArgs{"org_id": key.org, "pipeline_id": key.pipeline, "digest": key.digest[:]}
	if err := tx.QueryRow(ctx, sqlReadVersion, args).Scan(&bytes, &names, &ids); err != nil {
		if pg.NoRows(err) {
			return &Version{Broken: "it is not there"}, nil
		}
		return nil, fmt.Errorf("read version %s: %w", key.digest, err)
	}
	if got := plan.DigestOf(bytes); got != key.digest {
		return &Version{Broken: "its plan has the digest " + got.String()}, nil
	}
	p, err := plan.Decode(bytes)
	if err != nil {
		return &Version{Broken: err.Error()}, nil //nolint:nilerr // It is what was to be found out.
	}
	v := &Version{pools: map[string]id.UUID{}}
	if v.Graph, err = engine.NewGraph(p); err != nil {
		return &Version{Broken: err.Error()}, nil //nolint:nilerr // It is what was to be found out.
	}
	for i, name := range names {
		v.pools[name] = ids[i]
	}
	return v, nil
}
