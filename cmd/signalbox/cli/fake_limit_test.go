package cli_test

import (
	"context"

	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (f *fake) ListLimits(context.Context, *poolv1.ListLimitsRequest) (*poolv1.ListLimitsResponse, error) {
	return &poolv1.ListLimitsResponse{Limits: []*poolv1.Limit{
		{Name: "openai", Rate: 60, RatePerMs: 60_000, Held: 1, Holders: 1},
		{Name: "warehouse", Max: new(int64(2)), Held: 2, Holders: 2},
	}}, nil
}

func (f *fake) SetLimit(_ context.Context, req *poolv1.SetLimitRequest) (*poolv1.SetLimitResponse, error) {
	return &poolv1.SetLimitResponse{Limit: &poolv1.Limit{Name: req.GetName(), Max: req.Max, Rate: req.GetRate(), RatePerMs: req.GetRatePerMs()}}, nil
}

func (f *fake) DeleteLimit(context.Context, *poolv1.DeleteLimitRequest) (*poolv1.DeleteLimitResponse, error) {
	return &poolv1.DeleteLimitResponse{}, nil
}

func (f *fake) ExplainRun(_ context.Context, req *runv1.ExplainRunRequest) (*runv1.ExplainRunResponse, error) {
	res := &runv1.ExplainRunResponse{Tasks: []*runv1.Explanation{{
		Task: "prepare", State: "ready", Reason: "no_agent_online", Hint: "signalbox pool join-token default",
		Text: "no agent online in pool default (last seen 2026-11-20 11:58:00 UTC)",
	}}}
	if req.GetTask() == "" {
		res.Tasks = append(res.Tasks, &runv1.Explanation{
			Task: "train", State: "pending", Reason: "upstream", Text: "it waits for prepare (ready) (0 of 1 upstream tasks have ended)",
		})
	}
	return res, nil
}
