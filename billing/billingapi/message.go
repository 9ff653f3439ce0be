package billingapi

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/billing/billingdb"
	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
	usagev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

func usageMessage(month rating.Period, u billingdb.Usage) *usagev1.GetUsageResponse {
	out := &usagev1.GetUsageResponse{Month: month.String(), AsOf: timestamppb.New(u.AsOf), Totals: meterMessages(u.Totals)}
	for _, g := range u.Groups {
		out.Groups = append(out.Groups, &usagev1.UsageGroup{Key: g.Key, Meters: meterMessages(g.Used)})
	}
	return out
}

// meterMessages lists every meter, used or not, so that a table of groups has
// the same columns in each row.
func meterMessages(used billingdb.Quantities) []*usagev1.Meter {
	var out []*usagev1.Meter
	for _, m := range usage.Meters() {
		out = append(out, &usagev1.Meter{Meter: string(m), Quantity: used[m]})
	}
	return out
}

func previewMessage(month rating.Period, p billingdb.Preview) *usagev1.PreviewInvoiceResponse {
	out := &usagev1.PreviewInvoiceResponse{
		Month: month.String(), Plan: p.Plan, PriceBook: uint32(p.Book), AsOf: timestamppb.New(p.AsOf),
		TotalCents: p.Cents, Currency: billingdb.Currency,
	}
	for _, l := range p.Lines {
		out.Lines = append(out.Lines, &usagev1.InvoiceLine{
			Id: l.ID, Meter: string(l.Meter), Text: l.Text, Quantity: l.Quantity, Included: l.Included,
			UnitNanoUsd: int64(l.Unit), AmountNanoUsd: int64(l.Amount), Cents: l.Cents,
		})
	}
	return out
}

// runsMessage is a page of size runs; one more than that means another page.
func runsMessage(runs []billingdb.RunUsage, size int) *usagev1.ListUsageRunsResponse {
	out := &usagev1.ListUsageRunsResponse{}
	if len(runs) > size {
		runs = runs[:size]
		out.NextPageToken = id.Format(id.Run, runs[size-1].ID)
	}
	for _, r := range runs {
		out.Runs = append(out.Runs, &usagev1.UsageRun{
			RunId: id.Format(id.Run, r.ID), Pipeline: r.Pipeline, Workspace: r.Workspace, Number: r.Number,
			StartedAt: moment(r.StartedAt), Quantity: r.Quantity,
		})
	}
	return out
}

func attemptsMessage(attempts []billingdb.AttemptUsage) *usagev1.ListUsageAttemptsResponse {
	out := &usagev1.ListUsageAttemptsResponse{}
	for _, a := range attempts {
		out.Attempts = append(out.Attempts, &usagev1.UsageAttempt{
			Task: a.Task, Attempt: uint32(a.Attempt), Outcome: a.Outcome,
			StartedAt: timestamppb.New(a.StartedAt), FinishedAt: timestamppb.New(a.FinishedAt),
			TaskMs: a.TaskMS, GpuMs: a.GPUMS,
		})
	}
	return out
}

func moment(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamppb.New(*t)
}

func runUsageMessage(run id.UUID, sum *billingdb.RunSum) *usagev1.GetRunUsageResponse {
	out := &usagev1.GetRunUsageResponse{
		RunId: id.Format(id.Run, run), Currency: billingdb.Currency,
		Meters: meterMessages(sum.Own), CostNanoUsd: int64(sum.Cost.Nano), CostCents: sum.Cost.Cents,
		ChildrenMeters: meterMessages(sum.Below), ChildrenCostNanoUsd: int64(sum.BelowCost.Nano), ChildrenCostCents: sum.BelowCost.Cents,
	}
	for _, c := range sum.Children {
		out.Children = append(out.Children, &usagev1.ChildUsage{
			RunId: id.Format(id.Run, c.ID), Pipeline: c.Pipeline, Number: c.Number, ParentRunId: id.Format(id.Run, c.Parent),
			Task: c.Task, Meters: meterMessages(c.Used),
		})
	}
	return out
}
