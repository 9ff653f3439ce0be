package agentapi

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/agentdb"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/upstream"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// GetInputs answers with the values that a leased task reads, or what it asks
// reads, and nothing else.
func (s *Service) GetInputs(ctx context.Context, req *agentv1.GetInputsRequest) (*agentv1.GetInputsResponse, error) {
	var out *agentv1.GetInputsResponse
	err := s.inSystem(ctx, func(tx pgx.Tx) error {
		org := from(ctx).Org
		l, err := agentdb.Lease(ctx, tx, from(ctx), req.GetLeaseId())
		if err != nil {
			return err
		}
		return s.runs.Use(ctx, tx, org, l.Run, l.Graph, func(g *engine.Graph, state *engine.State) error {
			r := upstream.Reader{
				Graph: g, State: state, Run: l.Run, Task: l.Task, Asking: l.Asking, Params: l.Params,
				Bodies: kept{tx: tx, org: org},
			}
			out, err = r.Inputs(ctx, req.GetPageToken())
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// kept are the bodies beside the journals of an organization.
type kept struct {
	tx  pgx.Tx
	org id.UUID
}

// At reads those of a run's entries.
func (k kept) At(ctx context.Context, run id.UUID, seqs []int64) ([]upstream.Body, error) {
	bodies, err := journal.BodiesAt(ctx, k.tx, k.org, run, seqs)
	if err != nil {
		return nil, err
	}
	out := make([]upstream.Body, len(bodies))
	for i := range bodies {
		b := &bodies[i]
		out[i] = upstream.Body{Seq: b.Seq, Agent: b.Agent, Outcome: b.Outcome, Bytes: b.Bytes}
	}
	return out, nil
}
