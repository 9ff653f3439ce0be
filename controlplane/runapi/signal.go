package runapi

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// payload is the output in which a task has what came with its signal.
const payload = "payload"

// SignalRun sends a run a signal.
func (h *Handler) SignalRun(ctx context.Context, req *runv1.SignalRunRequest) (*runv1.SignalRunResponse, error) {
	by := caller.From(ctx)
	if err := checkKey(req.GetKey()); err != nil {
		return nil, err
	}
	ref, err := rundb.ParseRef(req.GetId())
	if err != nil {
		return nil, err
	}
	found, err := h.store.FindSignal(ctx, by, ref, req.GetName())
	if err != nil {
		return nil, err
	}
	body, err := signalBody(found, req)
	if err != nil {
		return nil, err
	}
	key := advance.RunKey{Org: by.OrgID, Run: found.Run.ID}
	err = h.advancer.SignalRun(ctx, advance.SignalRun{
		RunKey: key, Actor: actor.Text(by), Name: req.GetName(), Key: req.GetKey(), Body: body,
	})
	if err != nil {
		return nil, err
	}
	after, err := h.store.Get(ctx, by, rundb.RefTo(found.Run.ID))
	if err != nil {
		return nil, err
	}
	return &runv1.SignalRunResponse{Run: runMessage(&after)}, nil
}

// signalBody judges a payload as a param of its type would be, and makes of it
// what the task that takes the signal leaves. A signal that no task waits for is
// refused by the rules.
func signalBody(found rundb.Awaited, req *runv1.SignalRunRequest) ([]byte, error) {
	given := req.GetPayload()
	switch {
	case found.Plan == nil:
		return nil, nil
	case found.Plan.Type == "" && given == nil:
		return nil, nil
	case found.Plan.Type == "":
		return nil, fault.Invalid(reasonParam, "the signal %q carries no payload: its task declares no type", req.GetName())
	case given == nil:
		return nil, fault.Invalid(reasonParam, "the signal %q carries a payload of type %s", req.GetName(), found.Plan.Type)
	}
	value := &runv1.Value{Name: payload, Type: given.GetType(), Content: given.GetContent(), Size: given.GetSize()}
	declared := []plan.Param{{Name: payload, Type: found.Plan.Type, Required: true}}
	values, err := checkParams(declared, found.SealingKID, []*runv1.Value{value})
	if err != nil {
		return nil, err
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(&runv1.Body{Outputs: values, Signal: req.GetName()})
	if err != nil {
		return nil, fmt.Errorf("encode a payload: %w", err)
	}
	return body, nil
}
