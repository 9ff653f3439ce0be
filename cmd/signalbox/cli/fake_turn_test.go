package cli_test

import (
	"context"
	"time"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/seal"
)

func (f *fake) PauseRun(_ context.Context, req *runv1.PauseRunRequest) (*runv1.PauseRunResponse, error) {
	r := f.theRun()
	r.State = "paused"
	if req.GetSuspend() {
		r.Reason = "suspended"
	}
	return &runv1.PauseRunResponse{Run: r}, nil
}

func (f *fake) ResumeRun(context.Context, *runv1.ResumeRunRequest) (*runv1.ResumeRunResponse, error) {
	return &runv1.ResumeRunResponse{Run: f.theRun()}, nil
}

func (f *fake) SignalRun(context.Context, *runv1.SignalRunRequest) (*runv1.SignalRunResponse, error) {
	return &runv1.SignalRunResponse{Run: f.theRun()}, nil
}

func (f *fake) ListApprovals(context.Context, *runv1.ListApprovalsRequest) (*runv1.ListApprovalsResponse, error) {
	one := func(task, denied string) *runv1.Approval {
		return &runv1.Approval{
			RunId: run12, Pipeline: "train", Number: 12, Task: task, Requester: "ada@example.com", Since: before(2 * time.Hour),
			Required: 2, Approved: 1, By: []string{"role:admin"}, Denied: denied,
		}
	}
	list := []*runv1.Approval{one("sign-off", ""), one("deploy", "FOUR_EYES"), one("spend", "NOT_AN_APPROVER")}
	list[0].Message = f.message()
	list[1].Message = &runv1.Value{Name: "message", Type: "string", Content: &runv1.Value_OpenJson{OpenJson: []byte(`"To all regions?"`)}, Size: 17}
	return &runv1.ListApprovalsResponse{Approvals: list, NextPageToken: "more"}, nil
}

// message is what sign-off asks.
func (f *fake) message() *runv1.Value {
	return &runv1.Value{Name: "message", Type: "string", Content: &runv1.Value_Sealed{
		Sealed: f.envelope(seal.MessageName("sign-off"), `"Promote 0.93?"`),
	}, Size: 15}
}

func (f *fake) ListAlerts(context.Context, *runv1.ListAlertsRequest) (*runv1.ListAlertsResponse, error) {
	return &runv1.ListAlertsResponse{
		Alerts: []*runv1.Alert{{
			Tier: "P2", Kind: "exit_handler_failed", RunId: run12, Pipeline: "train", Number: 12, Outcome: "succeeded",
			Text: "An exit handler failed; the run succeeded all the same.", Since: before(2 * time.Hour),
		}},
		NextPageToken: "more",
	}, nil
}

func (f *fake) DecideApproval(context.Context, *runv1.DecideApprovalRequest) (*runv1.DecideApprovalResponse, error) {
	return &runv1.DecideApprovalResponse{Run: f.theRun()}, nil
}
