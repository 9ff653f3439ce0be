package pipelinedb

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Version is one immutable revision of a pipeline.
type Version struct {
	Digest    []byte
	Filename  string
	CreatedBy string // a name, or the actor's id where the name is not known
	CreatedAt time.Time
	Deployed  bool
}

const versionColumns = `v.digest, v.filename, v.created_by, v.created_at,
		coalesce(p.deployed = v.digest, false) AS deployed`

const sqlListVersions = `
	SELECT ` + versionColumns + `
	FROM version v
	JOIN pipeline p ON p.org_id = v.org_id AND p.id = v.pipeline_id
	WHERE v.org_id = @org_id
		AND v.pipeline_id = @pipeline_id
	ORDER BY v.created_at DESC, v.digest
	LIMIT 500`

// ListVersions returns a pipeline's versions, newest first, the first five
// hundred of them. Errors: NotFound.
func (s *Store) ListVersions(ctx context.Context, by caller.Caller, pipeline string) ([]Version, error) {
	var list []Version
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		p, err := getPipeline(ctx, tx, by, pipeline)
		if err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, sqlListVersions, pgx.StrictNamedArgs{"org_id": by.OrgID, "pipeline_id": p.ID})
		if list, err = pgx.CollectRows(rows, pgx.RowToStructByName[Version]); err != nil {
			return fmt.Errorf("list versions: %w", err)
		}
		return named(ctx, tx, by.OrgID, list)
	})
	return list, err
}

// named puts names in the place of the ids of those who made the versions.
func named(ctx context.Context, tx pgx.Tx, org id.UUID, list []Version) error {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = list[i].CreatedBy
	}
	names, err := actor.Names(ctx, tx, org, texts)
	if err != nil {
		return err
	}
	for i := range list {
		list[i].CreatedBy = actor.Name(names, list[i].CreatedBy)
	}
	return nil
}

// Stored is a version with all that is kept of it.
type Stored struct {
	Version

	Source []byte
	// Plan is canonical JSON; its sha256 is the digest.
	Plan []byte
}

const sqlGetVersion = `
	SELECT ` + versionColumns + `, v.source, v.plan
	FROM version v
	JOIN pipeline p ON p.org_id = v.org_id AND p.id = v.pipeline_id
	WHERE v.org_id = @org_id
		AND v.pipeline_id = @pipeline_id
		AND v.digest = @digest`

// GetVersion returns one version with its source and plan. version is a digest
// or the beginning of one; empty means the deployed one. Errors: NotFound,
// VERSION_NOT_DEPLOYED, INVALID_ARGUMENT.
func (s *Store) GetVersion(ctx context.Context, by caller.Caller, pipeline, version string) (Stored, error) {
	var v Stored
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		found, err := Find(ctx, tx, by, pipeline, version)
		if err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, sqlGetVersion, pgx.StrictNamedArgs{"org_id": by.OrgID, "pipeline_id": found.Pipeline.ID, "digest": found.Digest[:]})
		if v, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Stored]); err != nil {
			return fmt.Errorf("get a version: %w", err)
		}
		one := []Version{v.Version}
		err = named(ctx, tx, by.OrgID, one)
		v.Version = one[0]
		return err
	})
	return v, err
}

// Found is a pipeline and the version of it that was meant.
type Found struct {
	Pipeline Pipeline
	Digest   plan.Digest
}

const sqlVersionsBetween = `
	SELECT v.digest
	FROM version v
	WHERE v.org_id = @org_id
		AND v.pipeline_id = @pipeline_id
		AND v.digest >= @low
		AND v.digest <= @high
	ORDER BY v.digest
	LIMIT 2`

// Find returns a pipeline and its version that a text means: a digest, a unique
// beginning of one, or, empty, the deployed one. Errors: as GetVersion.
func Find(ctx context.Context, tx pgx.Tx, by caller.Caller, pipeline, version string) (Found, error) {
	p, err := getPipeline(ctx, tx, by, pipeline)
	found := Found{Pipeline: p}
	if err != nil {
		return found, err
	}
	if version == "" {
		if p.Deployed == nil {
			return found, errNotDeployed(pipeline)
		}
		copy(found.Digest[:], p.Deployed)
		return found, nil
	}
	low, high, err := parseDigest(version)
	if err != nil {
		return found, err
	}
	rows, _ := tx.Query(ctx, sqlVersionsBetween, pgx.StrictNamedArgs{"org_id": by.OrgID, "pipeline_id": p.ID, "low": low, "high": high})
	digests, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	switch {
	case err != nil:
		return found, fmt.Errorf("find a version: %w", err)
	case len(digests) == 0:
		return found, fault.NotFound("version", clip(version))
	case len(digests) > 1:
		return found, errAmbiguous(pipeline, version)
	}
	copy(found.Digest[:], digests[0])
	return found, nil
}

// minPrefix is how few digits may stand for a digest: with eight, two versions
// of one pipeline meet once in four billion pairs.
const minPrefix = 8

// parseDigest returns the least and the greatest digest that begin with text.
func parseDigest(text string) (low, high []byte, err error) {
	most := hex.EncodedLen(len(plan.Digest{}))
	if len(text) < minPrefix || len(text) > most || strings.ToLower(text) != text {
		return nil, nil, errDigest(text)
	}
	bounds := make([][]byte, 2)
	for i, fill := range []string{"0", "f"} {
		if bounds[i], err = hex.DecodeString(text + strings.Repeat(fill, most-len(text))); err != nil {
			return nil, nil, errDigest(text)
		}
	}
	return bounds[0], bounds[1], nil
}

// runs reports whether a digest is that of the deployed version.
func (p Pipeline) runs(digest []byte) bool { return bytes.Equal(p.Deployed, digest) }
