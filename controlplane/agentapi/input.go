package agentapi

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/agentdb"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/grant"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/param"
	"github.com/signalboxhq/signalbox/controlplane/upstream"
	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// GetPlan answers with the plan bytes of a version.
func (s *Service) GetPlan(ctx context.Context, req *agentv1.GetPlanRequest) (*agentv1.GetPlanResponse, error) {
	digest, err := hex.DecodeString(req.GetVersion())
	if err != nil {
		return nil, fault.NotFound("version", req.GetVersion())
	}
	out := &agentv1.GetPlanResponse{}
	err = s.inSystem(ctx, func(tx pgx.Tx) error {
		a, err := agentdb.Get(ctx, tx, from(ctx).ID)
		if err != nil {
			return err // revoked: its token lives on for minutes
		}
		out.Plan, err = agentdb.Plan(ctx, tx, a, req.GetPipeline(), digest)
		return err
	})
	return out, err
}

// What a run of thousands of tasks has left may be gigabytes. An agent takes
// answers of 32 MiB: upstream values come to a fraction of that, and of what a
// reader asks for the first are answered.
const (
	maxUpstream  = 64 << 20
	maxRunValues = 16 << 20
)

// GetRunValues answers with the values of a run, for an agent that opens them for
// a reader: the grant of the reader's request must name the run. Of very many
// they are the first.
func (s *Service) GetRunValues(ctx context.Context, req *agentv1.GetRunValuesRequest) (*agentv1.GetRunValuesResponse, error) {
	missing := fault.NotFound("run", req.GetRunId())
	run, err := id.Parse(id.Run, req.GetRunId())
	if err != nil {
		return nil, missing
	}
	claims, err := grant.Check(s.grantKey, s.now(), req.GetGrant())
	if err != nil || claims.Run != req.GetRunId() || claims.Organization != id.Format(id.Org, from(ctx).Org) {
		return nil, missing.Because(err)
	}
	var out *agentv1.GetRunValuesResponse
	err = s.inSystem(ctx, func(tx pgx.Tx) error {
		a, err := agentdb.Get(ctx, tx, from(ctx).ID)
		if err != nil {
			return err
		}
		l, err := agentdb.Run(ctx, tx, a, run)
		if err != nil {
			return err
		}
		out = &agentv1.GetRunValuesResponse{}
		given, err := upstream.Params(l.Params)
		if err != nil {
			return err
		}
		if out.Params, err = param.WithDefaults(l.Plan.Params, given); err != nil {
			return err
		}
		bodies, err := journal.Bodies(ctx, tx, a.Org, run, nil, int64(maxRunValues-len(l.Params)))
		if err != nil {
			return err
		}
		if err := addBodies(out, bodies); err != nil {
			return err
		}
		seeded, err := journal.Seeded(ctx, tx, a.Org, run)
		if err != nil || !seeded && !asks(l.Plan) {
			return err
		}
		return s.runs.Use(ctx, tx, a.Org, run, l.Graph, func(g *engine.Graph, state *engine.State) error {
			if err := addMessages(ctx, tx, out, a.Org, run, upstream.Asking(g, state)); err != nil {
				return err
			}
			return addReused(ctx, tx, out, a.Org, run, g, state)
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func asks(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Tasks, func(t plan.Task) bool { return upstream.Asks(&t) })
}

// addMessages adds what approvals ask those who vote.
func addMessages(ctx context.Context, tx pgx.Tx, out *agentv1.GetRunValuesResponse, org, run id.UUID, tasks []int32) error {
	answers, err := journal.Answers(ctx, tx, org, run, tasks)
	if err != nil {
		return err
	}
	for i := range answers {
		message, err := upstream.Message(answers[i].Bytes)
		if err != nil {
			return err
		}
		if message != nil {
			out.Tasks = append(out.Tasks, &runv1.TaskValues{Task: answers[i].Path, Message: message})
		}
	}
	return nil
}

// addReused adds what tasks left that were taken over, from the runs that ran
// them.
func addReused(
	ctx context.Context, tx pgx.Tx, out *agentv1.GetRunValuesResponse, org, run id.UUID, g *engine.Graph, state *engine.State,
) error {
	if len(state.Origins) == 0 {
		return nil
	}
	seqs := map[id.UUID][]int64{}
	tasks := map[id.UUID]map[int64][]int32{}
	for _, e := range state.Ends(run, slices.Sorted(maps.Keys(state.Origins))) {
		if e.Run == run {
			continue
		}
		if tasks[e.Run] == nil {
			tasks[e.Run] = map[int64][]int32{}
		}
		tasks[e.Run][e.Seq] = append(tasks[e.Run][e.Seq], e.Task)
		seqs[e.Run] = append(seqs[e.Run], e.Seq)
	}
	room := maxRunValues
	for from, list := range seqs {
		bodies, err := journal.BodiesAt(ctx, tx, org, from, list)
		if err != nil {
			return err
		}
		for i := range bodies {
			if room -= len(bodies[i].Bytes); room < 0 {
				return nil
			}
			for _, task := range tasks[from][bodies[i].Seq] {
				bodies[i].Path = g.Path(state, task)
				if err := addBodies(out, bodies[i:i+1]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func addBodies(out *agentv1.GetRunValuesResponse, bodies []journal.Body) error {
	for _, b := range bodies {
		var body runv1.Body
		if err := proto.Unmarshal(b.Bytes, &body); err != nil {
			return fmt.Errorf("decode body: %w", err)
		}
		attempt := uint32(max(0, b.Attempt))
		if len(body.GetSealedError()) > 0 {
			out.Errors = append(out.Errors, &agentv1.SealedError{Task: b.Path, Attempt: attempt, Sealed: body.GetSealedError()})
		}
		if b.Outcome == "succeeded" && b.Attempt >= 0 {
			out.Tasks = append(out.Tasks, &runv1.TaskValues{
				Task: b.Path, Attempt: attempt, Outputs: body.GetOutputs(), Artifacts: body.GetArtifacts(), Signal: body.GetSignal(),
			})
		}
	}
	return nil
}
