// Package billingapi serves signalbox.usage.v1.UsageService.
//
// It turns what clients write (a month, a dimension, a page) into questions to
// billing/billingdb, and the answers into messages. Sums, prices and rules are
// not here.
package billingapi

import (
	"context"
	"time"

	"github.com/signalboxhq/signalbox/billing/billingdb"
	"github.com/signalboxhq/signalbox/internal/pg"
	usagev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1/usagev1connect"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Handler is the service.
type Handler struct {
	store *billingdb.Store
	now   func() time.Time
}

var _ usagev1connect.UsageServiceHandler = (*Handler)(nil)

// New makes the service. now is time.Now outside tests.
func New(db *pg.DB, now func() time.Time) *Handler {
	return &Handler{store: billingdb.NewStore(db, now), now: now}
}

// GetUsage sums the meters of a month.
func (h *Handler) GetUsage(ctx context.Context, req *usagev1.GetUsageRequest) (*usagev1.GetUsageResponse, error) {
	month, err := parseMonth(req.GetMonth(), h.now())
	if err != nil {
		return nil, err
	}
	dimension, err := parseDimension(req.GetBy())
	if err != nil {
		return nil, err
	}
	used, err := h.store.Usage(ctx, caller.From(ctx), month, dimension)
	if err != nil {
		return nil, err
	}
	return usageMessage(month, used), nil
}

// PreviewInvoice rates a month as its invoice will be.
func (h *Handler) PreviewInvoice(ctx context.Context, req *usagev1.PreviewInvoiceRequest) (*usagev1.PreviewInvoiceResponse, error) {
	month, err := parseMonth(req.GetMonth(), h.now())
	if err != nil {
		return nil, err
	}
	preview, err := h.store.Preview(ctx, caller.From(ctx), month)
	if err != nil {
		return nil, err
	}
	return previewMessage(month, preview), nil
}

// ListUsageRuns opens a line to the runs behind it.
func (h *Handler) ListUsageRuns(ctx context.Context, req *usagev1.ListUsageRunsRequest) (*usagev1.ListUsageRunsResponse, error) {
	query, err := parseRunsQuery(req, h.now())
	if err != nil {
		return nil, err
	}
	size := query.Limit
	query.Limit++ // one more tells whether there is another page
	runs, err := h.store.Runs(ctx, caller.From(ctx), query)
	if err != nil {
		return nil, err
	}
	return runsMessage(runs, size), nil
}

// ListUsageAttempts opens a run to the attempts that were billed.
func (h *Handler) ListUsageAttempts(ctx context.Context, req *usagev1.ListUsageAttemptsRequest) (*usagev1.ListUsageAttemptsResponse, error) {
	run, err := id.Parse(id.Run, req.GetRunId())
	if err != nil {
		return nil, invalid("run_id", "the id of a run", req.GetRunId()).Because(err)
	}
	month, err := parseAnyMonth(req.GetMonth())
	if err != nil {
		return nil, err
	}
	attempts, err := h.store.Attempts(ctx, caller.From(ctx), run, month)
	if err != nil {
		return nil, err
	}
	return attemptsMessage(attempts), nil
}

// GetRunUsage sums up a run, and the runs below it.
func (h *Handler) GetRunUsage(ctx context.Context, req *usagev1.GetRunUsageRequest) (*usagev1.GetRunUsageResponse, error) {
	run, err := id.Parse(id.Run, req.GetRunId())
	if err != nil {
		return nil, invalid("run_id", "the id of a run", req.GetRunId()).Because(err)
	}
	sum, err := h.store.RunUsageOf(ctx, caller.From(ctx), run)
	if err != nil {
		return nil, err
	}
	return runUsageMessage(run, &sum), nil
}
