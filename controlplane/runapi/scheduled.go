package runapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/concurrency"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// StartScheduled starts the run of one fire of a schedule, of the version that
// is deployed now; again, it answers with the same run, whatever is deployed by
// then. Errors: as StartRun, those of params included.
func (h *Handler) StartScheduled(ctx context.Context, s rundb.Scheduled) (id.UUID, error) {
	by := caller.Caller{Principal: authz.Principal{OrgID: s.Org, WorkspaceID: s.Workspace}}
	target, err := h.store.FindTarget(ctx, by, rundb.Start{Pipeline: s.Pipeline, Key: s.Key()})
	if err != nil || target.Before != id.Nil {
		return target.Before, err
	}
	if !s.OrgState.StartsRuns() {
		return id.Nil, errRestricted
	}
	given, err := ScheduledValues(s.Params)
	if err != nil {
		return id.Nil, err
	}
	params, err := checkParams(target.Graph.Plan.Params, target.SealingKID, given)
	if err != nil {
		return id.Nil, err
	}
	line, err := concurrency.Key(target.Graph.Plan, params)
	if err != nil {
		return id.Nil, err
	}
	set, err := h.store.InternLabels(ctx, by, target.Graph.Plan.Labels)
	if err != nil {
		return id.Nil, err
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(&runv1.Params{Values: params})
	if err != nil {
		return id.Nil, fmt.Errorf("encode params: %w", err)
	}
	started, err := h.advancer.StartRun(ctx, advance.StartRun{
		Org: s.Org, Workspace: s.Workspace, Pipeline: target.Pipeline, Digest: target.Digest,
		// What was asked for is the fire: between two tries another version may
		// have been deployed.
		Key: s.Key(), Fingerprint: sha256.Sum256([]byte(s.Key())),
		Params: encoded, LabelSet: set, Labels: target.Graph.Plan.Labels,
		Fire: &advance.Fire{Nominal: s.Nominal, IntervalStart: s.IntervalStart}, Schedule: s.Schedule, Cause: "schedule", Actor: id.Format(id.Schedule, s.Schedule), Line: line,
	})
	return started.Run, err
}

// ScheduledValues are the params of a schedule as a start has them.
func ScheduledValues(params []plan.ScheduleParam) ([]*runv1.Value, error) {
	out := make([]*runv1.Value, len(params))
	for i, p := range params {
		out[i] = &runv1.Value{Name: p.Name, Content: &runv1.Value_OpenJson{OpenJson: p.Value}}
		if p.Sealed == "" {
			continue
		}
		envelope, err := base64.RawURLEncoding.DecodeString(p.Sealed)
		if err != nil {
			return nil, fault.Invalid(rundb.ReasonInvalid, "param %s: this is not a sealed value", p.Name)
		}
		out[i].Content = &runv1.Value_Sealed{Sealed: envelope}
	}
	return out, nil
}

// CheckScheduled judges params for the version that is deployed, before a
// schedule is made with them. A pipeline without a deployed version judges
// nothing yet. Errors: PARAM_INVALID, PARAM_NOT_SEALED, NotFound.
func (h *Handler) CheckScheduled(ctx context.Context, by caller.Caller, pipeline string, params []*runv1.Value) ([]*runv1.Value, error) {
	target, err := h.store.FindTarget(ctx, by, rundb.Start{Pipeline: pipeline})
	if fault.ReasonOf(err) == rundb.ReasonNotDeployed {
		return params, nil
	}
	if err != nil {
		return nil, err
	}
	return checkParams(target.Graph.Plan.Params, target.SealingKID, params)
}
