package runapi

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/rundb"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Alerts serves signalbox.run.v1.AlertService.
type Alerts struct{ h *Handler }

var _ runv1connect.AlertServiceHandler = (*Alerts)(nil)

// Alerts is the service for what people should look at.
func (h *Handler) Alerts() *Alerts { return &Alerts{h} }

// An exit handler never changes how its run ended, so that nothing else would
// tell anybody; but nobody need be woken for it.
const (
	alertExitHandler = "exit_handler_failed"
	tierExitHandler  = "P2"
)

// ListAlerts returns a page of the open alerts.
func (a *Alerts) ListAlerts(ctx context.Context, req *runv1.ListAlertsRequest) (*runv1.ListAlertsResponse, error) {
	list, next, err := a.h.store.ListAlerts(ctx, caller.From(ctx), int(req.GetPageSize()), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	res := &runv1.ListAlertsResponse{NextPageToken: next}
	for i := range list {
		res.Alerts = append(res.Alerts, alertMessage(&list[i]))
	}
	return res, nil
}

func alertMessage(a *rundb.Alert) *runv1.Alert {
	handlers := "An exit handler"
	if a.ExitsFailed > 1 {
		handlers = fmt.Sprintf("%d exit handlers", a.ExitsFailed)
	}
	return &runv1.Alert{
		Tier: tierExitHandler, Kind: alertExitHandler, RunId: id.Format(id.Run, a.RunID), Pipeline: a.Pipeline, Number: a.Number,
		Outcome: a.Outcome, Text: handlers + " failed; the run " + ended(a.Outcome) + " all the same.", Since: timestamppb.New(a.FinishedAt),
	}
}

// ended is an outcome as a verb.
func ended(outcome string) string {
	if outcome == "canceled" {
		return "was canceled"
	}
	return outcome
}
