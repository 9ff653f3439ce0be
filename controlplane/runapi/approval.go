package runapi

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/controlplane/upstream"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Approvals serves signalbox.run.v1.ApprovalService.
type Approvals struct{ h *Handler }

var _ runv1connect.ApprovalServiceHandler = (*Approvals)(nil)

// Approvals is the service for what waits for people.
func (h *Handler) Approvals() *Approvals { return &Approvals{h} }

const (
	reasonFourEyes    fault.Reason = "FOUR_EYES"
	reasonNotApprover fault.Reason = "NOT_AN_APPROVER"
	reasonDenied      fault.Reason = "PERMISSION_DENIED"

	maxComment = 1000
)

// ListApprovals returns a page of what waits for somebody.
func (a *Approvals) ListApprovals(ctx context.Context, req *runv1.ListApprovalsRequest) (*runv1.ListApprovalsResponse, error) {
	by := caller.From(ctx)
	list, next, err := a.h.store.ListApprovals(ctx, by, int(req.GetPageSize()), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	res := &runv1.ListApprovalsResponse{NextPageToken: next}
	for i := range list {
		m := approvalMessage(by, &list[i])
		if m.Message, err = askedOf(&list[i]); err != nil {
			return nil, err
		}
		res.Approvals = append(res.Approvals, m)
	}
	return res, nil
}

// DecideApproval casts the caller's vote.
func (a *Approvals) DecideApproval(ctx context.Context, req *runv1.DecideApprovalRequest) (*runv1.DecideApprovalResponse, error) {
	by := caller.From(ctx)
	if c := req.GetComment(); len(c) > maxComment || !utf8.ValidString(c) {
		return nil, fault.Invalid(rundb.ReasonInvalid, "a comment may have %d bytes", maxComment)
	}
	ref, err := rundb.ParseRef(req.GetRunId())
	if err != nil {
		return nil, err
	}
	run, p, err := a.h.store.FindApproval(ctx, by, ref, req.GetTask())
	if err != nil {
		return nil, err
	}
	if !by.AmongVoters(p.By) {
		return nil, fault.PermissionDenied(reasonNotApprover, "%s is decided by %s", req.GetTask(), voters(p.By))
	}
	event, err := voteEvent(by, &run, req)
	if err != nil {
		return nil, err
	}
	err = a.h.advancer.Vote(ctx, advance.Vote{
		RunKey: advance.RunKey{Org: by.OrgID, Run: run.ID}, Task: req.GetTask(), Actor: actor.Text(by),
		Reject: req.GetReject(), Comment: req.GetComment(), Generation: run.Generation, Event: event,
	})
	if err != nil {
		return nil, err
	}
	after, err := a.h.store.Get(ctx, by, rundb.RefTo(run.ID))
	if err != nil {
		return nil, err
	}
	return &runv1.DecideApprovalResponse{Run: runMessage(&after)}, nil
}

// voters names those who may decide, for people.
func voters(by []string) string {
	if len(by) == 0 {
		return "people only"
	}
	return strings.Join(by, ", ")
}

// voteEvent is the vote's entry in the audit log.
func voteEvent(by caller.Caller, run *rundb.Run, req *runv1.DecideApprovalRequest) (audit.Event, error) {
	action := "approval.approve"
	if req.GetReject() {
		action = "approval.reject"
	}
	event := by.Event(action, id.Format(id.Run, run.ID))
	event.WorkspaceID = by.WorkspaceID
	detail, err := json.Marshal(map[string]any{"pipeline": run.Pipeline, "number": run.Number, "task": req.GetTask(), "generation": run.Generation})
	if err != nil {
		return event, fmt.Errorf("encode a vote: %w", err)
	}
	event.Detail = string(detail)
	return event, nil
}

// denied says why the caller may not vote; empty: they may.
func denied(by caller.Caller, a *rundb.Approval) fault.Reason {
	me := actor.Text(by)
	switch {
	case !by.Person() || !authz.Allowed(by.Principal, authz.PermApprovalsDecide, authz.ScopeWorkspace):
		return reasonDenied
	case !by.AmongVoters(a.Voters):
		return reasonNotApprover
	case a.NotRequester && (a.Actor == me || a.RetriedBy == me):
		return reasonFourEyes
	}
	return ""
}

func approvalMessage(by caller.Caller, a *rundb.Approval) *runv1.Approval {
	return &runv1.Approval{
		RunId: id.Format(id.Run, a.RunID), Pipeline: a.Pipeline, Number: a.Number, Task: a.Path, Requester: a.Requester,
		Since: timestamppb.New(a.Since), Until: stampOf(a.Until), Required: uint32(a.Required), Approved: uint32(a.Approved),
		By: a.Voters, NotRequester: a.NotRequester, Denied: string(denied(by, a)),
	}
}

// askedOf is what those who vote are asked; nil: nothing.
func askedOf(a *rundb.Approval) (*runv1.Value, error) {
	if a.Answer != nil {
		return upstream.Message(a.Answer)
	}
	if a.Text == "" {
		return nil, nil
	}
	open, err := plan.ParseValue(plan.TypeString, a.Text)
	if err != nil {
		return nil, fmt.Errorf("encode a message: %w", err)
	}
	return &runv1.Value{
		Name: "message", Type: string(plan.TypeString), Size: uint32(len(open)), Content: &runv1.Value_OpenJson{OpenJson: open},
	}, nil
}

// holdMessage is nil for tasks that run.
func holdMessage(h *rundb.Hold) *runv1.Hold {
	if h == nil {
		return nil
	}
	m := &runv1.Hold{Kind: h.Kind(), Since: stamp(h.Since), Until: stamp(h.Until)}
	if s := h.Plan.Signal; s != nil {
		m.Signal, m.SignalType = s.Name, string(s.Type)
	}
	if p := h.Plan.Approve; p != nil {
		m.Required, m.By, m.NotRequester, m.Message = uint32(max(p.Required, 1)), p.By, p.NotRequester, p.Text
	}
	for _, v := range h.Votes {
		m.Votes = append(m.Votes, &runv1.Vote{Actor: v.Actor, Rejected: v.Rejected, Comment: v.Comment, At: stamp(v.At), Generation: v.Generation})
	}
	return m
}
