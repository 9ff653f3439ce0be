package runapi

import (
	"context"

	"github.com/signalboxhq/signalbox/controlplane/rundb"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// ExplainRun says of each task that does not run why it does not.
func (h *Handler) ExplainRun(ctx context.Context, req *runv1.ExplainRunRequest) (*runv1.ExplainRunResponse, error) {
	ref, err := rundb.ParseRef(req.GetId())
	if err != nil {
		return nil, err
	}
	list, err := h.store.Explain(ctx, caller.From(ctx), ref, req.GetTask())
	if err != nil {
		return nil, err
	}
	res := &runv1.ExplainRunResponse{}
	for _, e := range list {
		res.Tasks = append(res.Tasks, &runv1.Explanation{
			Task: e.Task, State: e.State, Reason: string(e.Reason), Text: e.Text, Hint: e.Hint,
		})
	}
	return res, nil
}
