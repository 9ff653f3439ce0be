package cli_test

import (
	"context"
	"time"

	usagev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
)

func meters(runs, attempts, taskMS, gpuMS int64) []*usagev1.Meter {
	return []*usagev1.Meter{
		{Meter: "runs", Quantity: runs},
		{Meter: "task_attempts", Quantity: attempts},
		{Meter: "task_ms", Quantity: taskMS},
		{Meter: "gpu_ms", Quantity: gpuMS},
	}
}

func (f *fake) GetUsage(_ context.Context, req *usagev1.GetUsageRequest) (*usagev1.GetUsageResponse, error) {
	res := &usagev1.GetUsageResponse{Month: "2026-11", AsOf: before(time.Minute), Totals: meters(12, 60, 5_400_000, 90_000)}
	if req.GetBy() != "" {
		res.Groups = []*usagev1.UsageGroup{
			{Key: "train", Meters: meters(10, 55, 5_000_000, 90_000)},
			{Key: "", Meters: meters(2, 5, 400_000, 0)},
		}
	}
	return res, nil
}

func (f *fake) PreviewInvoice(context.Context, *usagev1.PreviewInvoiceRequest) (*usagev1.PreviewInvoiceResponse, error) {
	return &usagev1.PreviewInvoiceResponse{
		Month: "2026-11", Plan: "team", PriceBook: 7, AsOf: before(time.Minute), TotalCents: 5012, Currency: "USD",
		Lines: []*usagev1.InvoiceLine{
			{Id: "base", Text: "Team plan", AmountNanoUsd: 50_000_000_000, Cents: 5000},
			{
				Id: "task_ms", Meter: "task_ms", Text: "Task time", Quantity: 5_400_000, Included: 3_600_000,
				UnitNanoUsd: 6667, AmountNanoUsd: 120_006_000, Cents: 12,
			},
		},
	}, nil
}

func (f *fake) ListUsageRuns(context.Context, *usagev1.ListUsageRunsRequest) (*usagev1.ListUsageRunsResponse, error) {
	return &usagev1.ListUsageRunsResponse{Runs: []*usagev1.UsageRun{{
		RunId: run12, Pipeline: "train", Workspace: "main", Number: 12, StartedAt: before(150 * time.Second), Quantity: 105_000,
	}}}, nil
}

func (f *fake) ListUsageAttempts(context.Context, *usagev1.ListUsageAttemptsRequest) (*usagev1.ListUsageAttemptsResponse, error) {
	return &usagev1.ListUsageAttemptsResponse{Attempts: []*usagev1.UsageAttempt{{
		Task: "train", Attempt: 1, Outcome: "failed", StartedAt: before(134 * time.Second), FinishedAt: before(100 * time.Second), TaskMs: 34_000,
	}}}, nil
}

func (f *fake) GetRunUsage(context.Context, *usagev1.GetRunUsageRequest) (*usagev1.GetRunUsageResponse, error) {
	own := []*usagev1.Meter{{Meter: "runs", Quantity: 1}, {Meter: "task_attempts", Quantity: 3}, {Meter: "task_ms", Quantity: 105_000}, {Meter: "gpu_ms"}}
	below := []*usagev1.Meter{{Meter: "runs", Quantity: 1}, {Meter: "task_attempts", Quantity: 1}, {Meter: "task_ms", Quantity: 30_000}, {Meter: "gpu_ms"}}
	return &usagev1.GetRunUsageResponse{
		RunId: run12, Meters: own, CostNanoUsd: 700_000, ChildrenMeters: below, ChildrenCostNanoUsd: 200_000, Currency: "USD",
		Children: []*usagev1.ChildUsage{{RunId: run12, Pipeline: "serve", Number: 4, ParentRunId: run12, Task: "deploy", Meters: below}},
	}, nil
}
