package agentapi

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/agentdb"
	"github.com/signalboxhq/signalbox/controlplane/grant"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/param"
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

// GetInputs answers with the values that a leased task reads, and nothing else.
func (s *Service) GetInputs(ctx context.Context, req *agentv1.GetInputsRequest) (*agentv1.GetInputsResponse, error) {
	out := &agentv1.GetInputsResponse{}
	err := s.inSystem(ctx, func(tx pgx.Tx) error {
		l, err := agentdb.Lease(ctx, tx, from(ctx), req.GetLeaseId())
		if err != nil {
			return err
		}
		task := &l.Plan.Tasks[l.Task]
		params, err := paramsOf(l.Params)
		if err != nil {
			return err
		}
		out.Params = slices.DeleteFunc(params, func(v *runv1.Value) bool { return !slices.Contains(task.Reads.Params, v.GetName()) })
		out.Tasks, err = upstream(ctx, tx, from(ctx).Org, l, task)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func paramsOf(stored []byte) ([]*runv1.Value, error) {
	var params runv1.Params
	if err := proto.Unmarshal(stored, &params); err != nil {
		return nil, fmt.Errorf("decode params: %w", err)
	}
	return params.GetValues(), nil
}

// upstream collects what the task's upstream tasks left, as far as it reads it.
func upstream(ctx context.Context, tx pgx.Tx, org id.UUID, l agentdb.Leased, task *plan.Task) ([]*agentv1.InputTask, error) {
	wants := map[string]bool{}
	for _, ref := range task.Reads.Outputs {
		wants[ref.Task] = true
	}
	for _, in := range task.ArtifactsIn {
		wants[in.Task] = true
	}
	tasks := make([]int32, 0, len(wants))
	for name := range wants {
		if _, i, ok := l.Plan.Task(name); ok {
			tasks = append(tasks, int32(i))
		}
	}
	if len(tasks) == 0 {
		return nil, nil
	}
	bodies, err := journal.Bodies(ctx, tx, org, l.Run, tasks, maxUpstream)
	if err != nil {
		return nil, err
	}
	last := map[int32]*agentv1.InputTask{}
	for _, b := range bodies {
		if b.Outcome != "succeeded" {
			continue
		}
		var body runv1.Body
		if err := proto.Unmarshal(b.Bytes, &body); err != nil {
			return nil, fmt.Errorf("decode body: %w", err)
		}
		name := l.Plan.Tasks[b.Task].Name
		in := &agentv1.InputTask{Task: name, AgentId: id.Format(id.Agent, b.Agent), Outputs: body.GetOutputs(), Artifacts: body.GetArtifacts()}
		keepRead(in, name, task)
		last[b.Task] = in // a later attempt replaces an earlier one
	}
	out := make([]*agentv1.InputTask, 0, len(last))
	for _, i := range tasks {
		if in := last[i]; in != nil {
			out = append(out, in)
		}
	}
	return out, nil
}

// keepRead drops what the task does not read: a lease carries no more than its
// step needs.
func keepRead(in *agentv1.InputTask, name string, task *plan.Task) {
	in.Outputs = slices.DeleteFunc(in.GetOutputs(), func(v *runv1.Value) bool {
		return !slices.Contains(task.Reads.Outputs, plan.OutputRef{Task: name, Output: v.GetName()})
	})
	in.Artifacts = slices.DeleteFunc(in.GetArtifacts(), func(a *runv1.Artifact) bool {
		return !slices.ContainsFunc(task.ArtifactsIn, func(x plan.ArtifactIn) bool { return x.Task == name && x.Artifact == a.GetName() })
	})
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
		given, err := paramsOf(l.Params)
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
		return addBodies(out, l.Plan, bodies)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func addBodies(out *agentv1.GetRunValuesResponse, p *plan.Plan, bodies []journal.Body) error {
	for _, b := range bodies {
		var body runv1.Body
		if err := proto.Unmarshal(b.Bytes, &body); err != nil {
			return fmt.Errorf("decode body: %w", err)
		}
		name, attempt := p.Tasks[b.Task].Name, uint32(b.Attempt)
		if len(body.GetSealedError()) > 0 {
			out.Errors = append(out.Errors, &agentv1.SealedError{Task: name, Attempt: attempt, Sealed: body.GetSealedError()})
		}
		if b.Outcome == "succeeded" {
			out.Tasks = append(out.Tasks, &runv1.TaskValues{Task: name, Attempt: attempt, Outputs: body.GetOutputs(), Artifacts: body.GetArtifacts()})
		}
	}
	return nil
}
