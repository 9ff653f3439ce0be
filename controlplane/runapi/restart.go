package runapi

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/pipeline"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// RestartRun starts a run that takes over from another one.
func (h *Handler) RestartRun(ctx context.Context, req *runv1.RestartRunRequest) (*runv1.RestartRunResponse, error) {
	by := caller.From(ctx)
	origin, err := h.origin(ctx, by, req.GetRunId())
	if err != nil {
		return nil, err
	}
	start, err := again(&origin, req.GetParams(), req.GetUnset()...)
	if err != nil {
		return nil, err
	}
	start.Version, start.IdempotencyKey, start.Priority = req.GetVersion(), req.GetIdempotencyKey(), req.GetPriority()
	out := &runv1.RestartRunResponse{}
	started, err := h.startFrom(ctx, by, start, func(target *rundb.Target) (*engine.Seed, error) {
		if from := req.GetFromTask(); from != "" {
			if _, i, ok := target.Graph.Plan.Task(from); !ok || target.Graph.Plan.Tasks[i].In != 0 {
				return nil, fault.NotFound("task", from)
			}
		}
		if err := unknownParam(target.Graph.Plan.Params, req); err != nil {
			return nil, err
		}
		seed, kept, err := target.Graph.Plant(&engine.Reuse{
			Run: origin.Run.ID, Graph: origin.Graph, State: origin.State, From: req.GetFromTask(), Trust: req.GetTrust(),
			Changed: changed(&origin, req.GetParams(), req.GetUnset()...), Digests: func(seq int64) []byte { return itemDigests(&origin, seq) },
			Beside: func(task int32) ([]string, []string, error) { return pipeline.BesideItem(target.Graph.Plan, int(task)) },
		})
		if err != nil {
			return nil, fmt.Errorf("compare with run %s: %w", req.GetRunId(), err)
		}
		for _, k := range kept {
			out.Tasks = append(out.Tasks, &runv1.KeptTask{Task: k.Task, Reused: k.Reused, Items: uint32(k.Items), Reason: k.Reason})
		}
		if req.GetDryRun() {
			return nil, errDryRun
		}
		if !slices.ContainsFunc(kept, func(k engine.Kept) bool { return !k.Reused }) {
			return nil, fault.FailedPrecondition(fault.Reason(engine.RefusedNothingToRetry), "every task of the run succeeded, and nothing has changed; name one to run again from")
		}
		start.Params = declared(target.Graph.Plan.Params, start.GetParams(), req.GetParams())
		return seed, nil
	})
	if errors.Is(err, errDryRun) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	run, err := h.store.Get(ctx, by, rundb.RefTo(started.Run))
	if err != nil {
		return nil, err
	}
	out.Run, out.Created = runMessage(&run), started.Created
	return out, nil
}

// itemDigests are what an agent told of the items of a map; nil if it is not
// there, and then nothing of the map is taken over.
func itemDigests(o *rundb.Origin, seq int64) []byte {
	var body runv1.Body
	if proto.Unmarshal(o.Decided[seq], &body) != nil {
		return nil
	}
	return body.GetItemDigests()
}

// errDryRun ends a start before it starts anything.
var errDryRun = errors.New("nothing was started")

// TestTask runs one task again by itself.
func (h *Handler) TestTask(ctx context.Context, req *runv1.TestTaskRequest) (*runv1.TestTaskResponse, error) {
	by := caller.From(ctx)
	origin, err := h.origin(ctx, by, req.GetRunId())
	if err != nil {
		return nil, err
	}
	_, i, ok := origin.Graph.Plan.Task(req.GetTask())
	if !ok || origin.Graph.Plan.Tasks[i].In != 0 {
		if _, part := origin.Graph.Find(origin.State, req.GetTask()); part {
			whole := req.GetTask()[:strings.IndexAny(req.GetTask(), "[/")]
			return nil, fault.Invalid(rundb.ReasonInvalid, "%q is a part of %q, and a task is tested as a whole: name that one", req.GetTask(), whole)
		}
		return nil, fault.NotFound("task", req.GetTask())
	}
	start, err := again(&origin, nil)
	if err != nil {
		return nil, err
	}
	start.Version, start.IdempotencyKey = hex.EncodeToString(origin.Run.Digest), req.GetIdempotencyKey()
	started, err := h.startFrom(ctx, by, start, func(*rundb.Target) (*engine.Seed, error) {
		seed, missing := origin.Graph.Isolate(origin.Run.ID, origin.State, int32(i))
		if len(missing) > 0 {
			return nil, fault.FailedPrecondition("INPUTS_MISSING", "task %q reads what %q left, which is %s; test a task whose inputs are there",
				req.GetTask(), missing[0], stateOf(&origin, missing[0]))
		}
		return seed, nil
	})
	if err != nil {
		return nil, err
	}
	run, err := h.store.Get(ctx, by, rundb.RefTo(started.Run))
	if err != nil {
		return nil, err
	}
	return &runv1.TestTaskResponse{Run: runMessage(&run), Created: started.Created}, nil
}

func stateOf(o *rundb.Origin, task string) string {
	_, i, ok := o.Graph.Plan.Task(task)
	if !ok || i >= len(o.State.Tasks) {
		return engine.TaskPending.String()
	}
	return o.State.Tasks[i].State.String()
}

func (h *Handler) origin(ctx context.Context, by caller.Caller, run string) (rundb.Origin, error) {
	ref, err := rundb.ParseRef(run)
	if err != nil {
		return rundb.Origin{}, err
	}
	return h.store.ReadOrigin(ctx, by, ref)
}

// unknownParam refuses to put back what the version does not declare, or what is
// given anew.
func unknownParam(params []plan.Param, req *runv1.RestartRunRequest) error {
	for _, name := range req.GetUnset() {
		switch {
		case !slices.ContainsFunc(params, func(p plan.Param) bool { return p.Name == name }):
			return fault.Invalid(reasonParam, "there is no param %q", name)
		case slices.ContainsFunc(req.GetParams(), func(v *runv1.Value) bool { return v.GetName() == name }):
			return fault.Invalid(reasonParam, "param %q is given, and is to be its default: it cannot be both", name)
		}
	}
	return nil
}

// again is a start like the one of a run, with some params changed, and some left
// to their defaults.
func again(o *rundb.Origin, params []*runv1.Value, unset ...string) (*runv1.StartRunRequest, error) {
	out := &runv1.StartRunRequest{Pipeline: o.Run.Pipeline, Labels: maps.Clone(o.Run.Labels)}
	var given runv1.Params
	if err := proto.Unmarshal(o.Params, &given); err != nil {
		return nil, fmt.Errorf("decode params: %w", err)
	}
	for _, v := range given.GetValues() {
		if !slices.Contains(unset, v.GetName()) && !slices.ContainsFunc(params, func(p *runv1.Value) bool { return p.GetName() == v.GetName() }) {
			out.Params = append(out.Params, v)
		}
	}
	out.Params = append(out.Params, params...)
	return out, nil
}

// changed lists the params that differ. Sealed ones differ whenever they are
// given: nobody here can tell. What is a default again differs if it was given.
func changed(o *rundb.Origin, params []*runv1.Value, unset ...string) []string {
	var given runv1.Params
	if proto.Unmarshal(o.Params, &given) != nil {
		return nil
	}
	var out []string
	for _, p := range params {
		same := slices.ContainsFunc(given.GetValues(), func(v *runv1.Value) bool {
			return v.GetName() == p.GetName() && len(v.GetOpenJson()) > 0 && bytes.Equal(v.GetOpenJson(), p.GetOpenJson())
		})
		if !same {
			out = append(out, p.GetName())
		}
	}
	for _, v := range given.GetValues() {
		if slices.Contains(unset, v.GetName()) {
			out = append(out, v.GetName())
		}
	}
	return out
}

// declared leaves out params that the version does not know any more, unless
// they are given now: that is an error to tell.
func declared(params []plan.Param, all, given []*runv1.Value) []*runv1.Value {
	return slices.DeleteFunc(slices.Clone(all), func(v *runv1.Value) bool {
		return !slices.Contains(given, v) && !slices.ContainsFunc(params, func(p plan.Param) bool { return p.Name == v.GetName() })
	})
}
