package rundb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/pipelinedb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Start is what a start names.
type Start struct {
	Pipeline string
	// Version is a digest or the beginning of one; empty: the deployed one.
	Version string
	// Key is the idempotency key, empty for none.
	Key string
	// Anew says that a run which the key has started need not be the answer.
	Anew bool
}

// Target is what a start is about, as the caller may see it.
type Target struct {
	Pipeline id.UUID
	// Before is the run that the same key started, Nil for none; nothing else
	// is looked up then. Fingerprint is what was asked at that time.
	Before      id.UUID
	Fingerprint []byte

	Digest plan.Digest
	Graph  *engine.Graph
	// SealingKID names the key that values are sealed to; empty: there is none.
	SealingKID string
}

const sqlFindTarget = `
	SELECT p.id, p.deployed, coalesce(w.sealing_kid, '') AS sealing_kid, k.run_id, k.fingerprint
	FROM pipeline p
	JOIN workspace w ON w.org_id = p.org_id AND w.id = p.workspace_id
	LEFT JOIN start_key k ON k.org_id = p.org_id AND k.pipeline_id = p.id AND k.key = @key
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
		AND p.name = @name`

// FindTarget looks up what a start names. A key that has started a run is found
// before anything else is judged: a repetition gets its run also when another
// version was deployed since. Errors: NotFound, VERSION_NOT_DEPLOYED,
// INVALID_ARGUMENT.
func (s *Store) FindTarget(ctx context.Context, by caller.Caller, start Start) (Target, error) {
	var out Target
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		type found struct {
			ID          id.UUID
			Deployed    []byte
			SealingKID  string
			RunID       *id.UUID
			Fingerprint []byte
		}
		rows, _ := tx.Query(ctx, sqlFindTarget, pgx.StrictNamedArgs{
			"org_id": by.OrgID, "workspace_id": by.WorkspaceID, "name": start.Pipeline, "key": start.Key,
		})
		f, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[found])
		if pg.NoRows(err) {
			return errNoPipeline(start.Pipeline)
		}
		if err != nil {
			return fmt.Errorf("find a pipeline to start: %w", err)
		}
		out.Pipeline, out.SealingKID = f.ID, f.SealingKID
		if start.Key != "" && f.RunID != nil && !start.Anew {
			out.Before, out.Fingerprint = *f.RunID, f.Fingerprint
			return nil
		}
		if out.Digest, err = chosen(ctx, tx, by, start, f.Deployed); err != nil {
			return err
		}
		out.Graph, err = s.graph(ctx, tx, by.OrgID, f.ID, out.Digest)
		return err
	})
	if err == nil && start.Version == "" && out.Before == id.Nil {
		s.targets.put(targetKey{by.OrgID, by.WorkspaceID, start.Pipeline}, out)
	}
	return out, err
}

// chosen is the digest of the version that a start means.
func chosen(ctx context.Context, tx pgx.Tx, by caller.Caller, start Start, deployed []byte) (plan.Digest, error) {
	var digest plan.Digest
	if start.Version != "" {
		found, err := pipelinedb.Find(ctx, tx, by, start.Pipeline, start.Version)
		return found.Digest, err
	}
	if deployed == nil {
		return digest, fault.FailedPrecondition(ReasonNotDeployed, "no version of pipeline %q is deployed", start.Pipeline)
	}
	copy(digest[:], deployed)
	return digest, nil
}

// Scheduled is a run that a schedule starts, at one of its nominal times.
type Scheduled struct {
	Org       id.UUID
	OrgState  authz.OrgState
	Workspace id.UUID
	Pipeline  string
	Schedule  id.UUID
	Nominal   time.Time
	// IntervalStart is where the interval begins that ends at the nominal time.
	IntervalStart time.Time
	Params        []plan.ScheduleParam
}

// Key makes the start idempotent: whoever ticks, and however often, there is one
// run for it.
func (s Scheduled) Key() string {
	return id.Format(id.Schedule, s.Schedule) + "@" + s.Nominal.UTC().Format(time.RFC3339Nano)
}
