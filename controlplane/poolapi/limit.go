package poolapi

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/pooldb"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// ListLimits lists the workspace's limits by name.
func (h *Handler) ListLimits(ctx context.Context, _ *poolv1.ListLimitsRequest) (*poolv1.ListLimitsResponse, error) {
	list, err := h.store.ListLimits(ctx, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	res := &poolv1.ListLimitsResponse{}
	for i := range list {
		res.Limits = append(res.Limits, limitMessage(&list[i]))
	}
	return res, nil
}

// SetLimit declares a limit or changes it.
func (h *Handler) SetLimit(ctx context.Context, req *poolv1.SetLimitRequest) (*poolv1.SetLimitResponse, error) {
	in := pooldb.Limit{Name: req.GetName(), Max: req.Max}
	if req.GetRate() != 0 {
		in.Rate, in.RateMS = &req.Rate, &req.RatePerMs
	}
	l, err := h.store.SetLimit(ctx, caller.From(ctx), in)
	if err != nil {
		return nil, err
	}
	return &poolv1.SetLimitResponse{Limit: limitMessage(&l)}, nil
}

// DeleteLimit removes a limit that nothing holds.
func (h *Handler) DeleteLimit(ctx context.Context, req *poolv1.DeleteLimitRequest) (*poolv1.DeleteLimitResponse, error) {
	if err := h.store.DeleteLimit(ctx, caller.From(ctx), req.GetName()); err != nil {
		return nil, err
	}
	return &poolv1.DeleteLimitResponse{}, nil
}

func limitMessage(l *pooldb.Limit) *poolv1.Limit {
	m := &poolv1.Limit{Name: l.Name, Max: l.Max, Held: l.Held, Holders: uint32(l.Holders), CreatedAt: timestamppb.New(l.CreatedAt)}
	if l.Rate != nil {
		m.Rate, m.RatePerMs = *l.Rate, *l.RateMS
	}
	return m
}

func updateOf(req *poolv1.UpdatePoolRequest) pooldb.Update {
	u := pooldb.Update{Slots: req.Slots, Paused: req.Paused, PauseNote: req.PauseNote, Fairness: req.Fairness}
	if req.GetSetWeights() {
		if u.Weights = req.GetWeights(); u.Weights == nil {
			u.Weights = map[string]float64{}
		}
	}
	if req.ReserveAfterMs != nil {
		// Bounded first: a product that overflows would look like a short time.
		u.ReserveAfter = new(time.Duration(max(-1, min(req.GetReserveAfterMs(), 1<<40))) * time.Millisecond)
	}
	return u
}
