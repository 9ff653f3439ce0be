package billingapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	usagev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

func quantities(meters []*usagev1.Meter) map[string]int64 {
	out := map[string]int64{}
	for _, m := range meters {
		out[m.GetMeter()] = m.GetQuantity()
	}
	return out
}

func TestGetUsage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ran(1, now, 1_000)
	b.ran(2, now.AddDate(0, 0, 1), 2_000)
	b.ran(3, now.AddDate(0, -1, 0), 4_000)

	for by, keys := range map[string][]string{
		"": nil, "workspace": {"research"}, "pool": {"default"}, "pipeline": {"digits"}, "day": {"2026-11-15", "2026-11-16"},
		"label:team": {"vision"}, "label:tier": {""},
	} {
		res, err := b.h.GetUsage(b.ctx, &usagev1.GetUsageRequest{By: by})
		require.NoError(t, err, by)
		require.Equal(t, "2026-11", res.GetMonth())
		require.Equal(t, now, res.GetAsOf().AsTime())
		require.Equal(t, map[string]int64{"runs": 2, "task_attempts": 2, "task_ms": 3_000, "gpu_ms": 12_000}, quantities(res.GetTotals()))
		var found []string
		sums := map[string]int64{}
		for _, g := range res.GetGroups() {
			found = append(found, g.GetKey())
			require.Len(t, g.GetMeters(), 4)
			for m, n := range quantities(g.GetMeters()) {
				sums[m] += n
			}
		}
		require.Equal(t, keys, found, by)
		if by != "" {
			require.Equal(t, quantities(res.GetTotals()), sums, by)
		}
	}
	res, err := b.h.GetUsage(b.ctx, &usagev1.GetUsageRequest{Month: "2026-10"})
	require.NoError(t, err)
	require.Equal(t, "2026-10", res.GetMonth())
	require.EqualValues(t, 4_000, quantities(res.GetTotals())["task_ms"])
}

func TestPreviewInvoice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ran(1, now, 100_500*60_000) // 500 task-minutes beyond what is included
	res, err := b.h.PreviewInvoice(b.ctx, &usagev1.PreviewInvoiceRequest{})
	require.NoError(t, err)
	require.Equal(t, "team", res.GetPlan())
	require.EqualValues(t, 1, res.GetPriceBook())
	require.Equal(t, "USD", res.GetCurrency())
	require.Equal(t, now, res.GetAsOf().AsTime())
	var sum int64
	lines := map[string]*usagev1.InvoiceLine{}
	for _, l := range res.GetLines() {
		lines[l.GetId()], sum = l, sum+l.GetCents()
	}
	require.Len(t, lines, 5)
	require.EqualValues(t, 99_20, res.GetTotalCents())
	require.Equal(t, sum, res.GetTotalCents())
	require.Equal(t, "Team plan", lines["base"].GetText())
	require.Empty(t, lines["base"].GetMeter())
	line := lines["task_ms"]
	require.Equal(t, "Task-minutes at $0.0004", line.GetText())
	require.EqualValues(t, 100_500*60_000, line.GetQuantity())
	require.EqualValues(t, 100_000*60_000, line.GetIncluded())
	require.EqualValues(t, 400_000, line.GetUnitNanoUsd(), "of a minute")
	require.EqualValues(t, 200_000_000, line.GetAmountNanoUsd())
	require.EqualValues(t, 20, line.GetCents())
	require.Zero(t, lines["gpu_ms"].GetCents(), "listed at no charge")
	require.Positive(t, lines["gpu_ms"].GetQuantity())
}

func TestListUsageRunsInPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var want []string
	for n := range int64(5) {
		run := b.ran(n+1, now.Add(time.Duration(n)*time.Minute), 10*(n+1))
		want = append([]string{id.Format(id.Run, run)}, want...)
	}
	var got []string
	req := &usagev1.ListUsageRunsRequest{Meter: "gpu_ms", PageSize: 2}
	for pages := 1; ; pages++ {
		res, err := b.h.ListUsageRuns(b.ctx, req)
		require.NoError(t, err)
		for _, r := range res.GetRuns() {
			got = append(got, r.GetRunId())
			require.Equal(t, "digits", r.GetPipeline())
			require.Equal(t, "research", r.GetWorkspace())
			require.Equal(t, 40*r.GetNumber(), r.GetQuantity())
			require.NotNil(t, r.GetStartedAt())
		}
		if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
			require.Equal(t, 3, pages)
			break
		}
		require.Len(t, res.GetRuns(), 2)
	}
	require.Equal(t, want, got)

	res, err := b.h.ListUsageRuns(b.ctx, &usagev1.ListUsageRunsRequest{Meter: "runs", PageSize: 1 << 31})
	require.NoError(t, err)
	require.Len(t, res.GetRuns(), 5)
	require.Empty(t, res.GetNextPageToken())
}

func TestListUsageAttempts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.ran(1, now, 1_234)
	for month, n := range map[string]int{"": 1, "2026-11": 1, "2026-12": 0} {
		res, err := b.h.ListUsageAttempts(b.ctx, &usagev1.ListUsageAttemptsRequest{RunId: id.Format(id.Run, run), Month: month})
		require.NoError(t, err)
		require.Len(t, res.GetAttempts(), n, month)
		for _, a := range res.GetAttempts() {
			require.Equal(t, "train", a.GetTask())
			require.EqualValues(t, 1, a.GetAttempt())
			require.Equal(t, "succeeded", a.GetOutcome())
			require.Equal(t, now, a.GetFinishedAt().AsTime())
			require.Equal(t, now.Add(-1_234*time.Millisecond), a.GetStartedAt().AsTime())
			require.EqualValues(t, 1_234, a.GetTaskMs())
			require.EqualValues(t, 4*1_234, a.GetGpuMs())
		}
	}
	stranger := caller.With(t.Context(), caller.Caller{Principal: authz.Principal{OrgID: id.New()}})
	_, foreign := b.h.ListUsageAttempts(stranger, &usagev1.ListUsageAttemptsRequest{RunId: id.Format(id.Run, run)})
	require.Equal(t, fault.KindNotFound, fault.KindOf(foreign))
}

func TestBadRequestsSayWhatIsWanted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	usage := func(req *usagev1.GetUsageRequest) error { _, err := b.h.GetUsage(b.ctx, req); return err }
	runs := func(req *usagev1.ListUsageRunsRequest) error { _, err := b.h.ListUsageRuns(b.ctx, req); return err }
	preview := func(month string) error {
		_, err := b.h.PreviewInvoice(b.ctx, &usagev1.PreviewInvoiceRequest{Month: month})
		return err
	}
	attempts := func(run, month string) error {
		_, err := b.h.ListUsageAttempts(b.ctx, &usagev1.ListUsageAttemptsRequest{RunId: run, Month: month})
		return err
	}
	run := id.Format(id.Run, id.New())
	for i, c := range []struct {
		err  error
		path string
	}{
		{usage(&usagev1.GetUsageRequest{Month: "November"}), "month"},
		{usage(&usagev1.GetUsageRequest{Month: "2026-13"}), "month"},
		{usage(&usagev1.GetUsageRequest{Month: "1969-12"}), "month"},
		{preview("2026-1"), "month"},
		{preview("2026-11-01"), "month"},
		{usage(&usagev1.GetUsageRequest{By: "colour"}), "by"},
		{usage(&usagev1.GetUsageRequest{By: "day:x"}), "by"},
		{usage(&usagev1.GetUsageRequest{By: "label"}), "by"},
		{usage(&usagev1.GetUsageRequest{By: "label:"}), "by"},
		{usage(&usagev1.GetUsageRequest{By: "label:a\x00"}), "by"},
		{usage(&usagev1.GetUsageRequest{By: "label:" + strings.Repeat("a", 64)}), "by"},
		{runs(&usagev1.ListUsageRunsRequest{}), "meter"},
		{runs(&usagev1.ListUsageRunsRequest{Meter: "bytes"}), "meter"},
		{runs(&usagev1.ListUsageRunsRequest{Meter: "runs", Month: "x"}), "month"},
		{runs(&usagev1.ListUsageRunsRequest{Meter: "runs", PageToken: "x"}), "page_token"},
		{attempts("x", ""), "run_id"},
		{attempts(run, "x"), "month"},
	} {
		f, ok := fault.As(c.err)
		require.True(t, ok, "%d: %v", i, c.err)
		require.Equal(t, fault.KindInvalid, f.Kind, i)
		require.Len(t, f.Violations, 1, i)
		require.Equal(t, c.path, f.Violations[0].Path, i)
		require.LessOrEqual(t, len(f.Violations[0].Got), 90, i)
	}
	require.Equal(t, fault.KindNotFound, fault.KindOf(attempts(run, "2026-11")))
}

func TestAnyMonthOfTheCalendarIsAnswered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, month := range []string{"1970-01", "2026-12", "9999-12"} {
		_, err := b.h.GetUsage(b.ctx, &usagev1.GetUsageRequest{Month: month, By: "day"})
		require.NoError(t, err, month)
		_, err = b.h.PreviewInvoice(b.ctx, &usagev1.PreviewInvoiceRequest{Month: month})
		require.NoError(t, err, month)
		_, err = b.h.ListUsageRuns(b.ctx, &usagev1.ListUsageRunsRequest{Month: month, Meter: "runs"})
		require.NoError(t, err, month)
	}
}
