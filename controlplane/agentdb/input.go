package agentdb

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

const sqlReadPlan = `
	SELECT v.plan
	FROM version v
	JOIN pipeline p ON p.org_id = v.org_id AND p.id = v.pipeline_id
	WHERE v.org_id = @org_id
		AND v.digest = @digest
		AND p.workspace_id = @workspace_id
		AND p.name = @pipeline`

// Plan returns the bytes of a version of the agent's workspace.
func Plan(ctx context.Context, tx pgx.Tx, a Agent, pipeline string, digest []byte) ([]byte, error) {
	var out []byte
	args := pgx.StrictNamedArgs{"org_id": a.Org, "digest": digest, "workspace_id": a.Workspace, "pipeline": pipeline}
	err := tx.QueryRow(ctx, sqlReadPlan, args).Scan(&out)
	if pg.NoRows(err) {
		return nil, fault.NotFound("version", hex.EncodeToString(digest))
	}
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	return out, nil
}

// Leased is the task of a live lease, with what its inputs are read from.
type Leased struct {
	Run    id.UUID
	Task   int32 // of the run
	Asking bool  // the attempt is a decision
	Params []byte
	Plan   *plan.Plan
}

// Graph prepares the version.
func (l *Leased) Graph() (*engine.Graph, error) { return engine.NewGraph(l.Plan) }

// A revocation ends the agent's leases a moment after it is committed: until
// then they are worth nothing already.
const sqlReadLeased = `
	SELECT l.run_id, l.task, l.attempt < 0, r.params, v.plan
	FROM lease l
	JOIN agent a ON a.org_id = l.org_id AND a.id = l.agent_id AND a.revoked_at IS NULL
	JOIN run r ON r.org_id = l.org_id AND r.id = l.run_id
	JOIN version v ON v.org_id = r.org_id AND v.pipeline_id = r.pipeline_id AND v.digest = r.digest
	WHERE l.org_id = @org_id
		AND l.id = @lease
		AND l.agent_id = @agent_id`

// Lease returns what a live lease of the agent is about. Errors: STALE_FENCE.
func Lease(ctx context.Context, tx pgx.Tx, a Agent, lease int64) (Leased, error) {
	var out Leased
	var bytes []byte
	err := tx.QueryRow(ctx, sqlReadLeased, pgx.StrictNamedArgs{"org_id": a.Org, "lease": lease, "agent_id": a.ID}).
		Scan(&out.Run, &out.Task, &out.Asking, &out.Params, &bytes)
	if pg.NoRows(err) {
		return out, fault.FailedPrecondition("STALE_FENCE", "the lease is gone; end its step and drop its results")
	}
	if err != nil {
		return out, fmt.Errorf("read lease: %w", err)
	}
	out.Plan, err = plan.Decode(bytes)
	return out, err
}

const sqlReadRunParams = `
	SELECT r.params, v.plan
	FROM run r
	JOIN version v ON v.org_id = r.org_id AND v.pipeline_id = r.pipeline_id AND v.digest = r.digest
	WHERE r.org_id = @org_id
		AND r.id = @run_id
		AND r.workspace_id = @workspace_id`

// Run returns the params and plan of a run of the agent's workspace.
func Run(ctx context.Context, tx pgx.Tx, a Agent, run id.UUID) (Leased, error) {
	out := Leased{Run: run, Task: -1}
	var bytes []byte
	err := tx.QueryRow(ctx, sqlReadRunParams, pgx.StrictNamedArgs{"org_id": a.Org, "run_id": run, "workspace_id": a.Workspace}).
		Scan(&out.Params, &bytes)
	if pg.NoRows(err) {
		return out, fault.NotFound("run", id.Format(id.Run, run))
	}
	if err != nil {
		return out, fmt.Errorf("read run: %w", err)
	}
	out.Plan, err = plan.Decode(bytes)
	return out, err
}
