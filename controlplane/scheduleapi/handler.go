// Package scheduleapi serves signalbox.schedule.v1.ScheduleService.
//
// It turns stored schedules into messages, with the times at which they fire
// next. What is stored, and the rules about it, are controlplane/scheduledb's;
// when a schedule fires is controlplane/schedule's.
package scheduleapi

import (
	"context"
	"io"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/scheduledb"
	"github.com/signalboxhq/signalbox/internal/pg"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	schedulev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1/schedulev1connect"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Params judges the params of scheduled runs as a start does.
type Params interface {
	CheckScheduled(ctx context.Context, by caller.Caller, pipeline string, params []*runv1.Value) ([]*runv1.Value, error)
}

// Handler is the service.
type Handler struct {
	store  *scheduledb.Store
	params Params
	now    func() time.Time
}

var _ schedulev1connect.ScheduleServiceHandler = (*Handler)(nil)

// New makes the service. random is crypto/rand.Reader and now is time.Now
// outside tests.
func New(db *pg.DB, params Params, random io.Reader, now func() time.Time) *Handler {
	return &Handler{store: scheduledb.NewStore(db, random, now), params: params, now: now}
}

// CreateSchedule makes a schedule of a pipeline.
func (h *Handler) CreateSchedule(ctx context.Context, req *schedulev1.CreateScheduleRequest) (*schedulev1.CreateScheduleResponse, error) {
	by := caller.From(ctx)
	params, err := h.params.CheckScheduled(ctx, by, req.GetPipeline(), req.GetSpec().GetParams())
	if err != nil {
		return nil, err
	}
	s, err := h.store.Create(ctx, by, scheduledb.Create{
		Name: req.GetName(), Pipeline: req.GetPipeline(), Spec: specOf(req.GetSpec(), params),
	})
	if err != nil {
		return nil, err
	}
	return &schedulev1.CreateScheduleResponse{Schedule: h.message(s)}, nil
}

// ListSchedules lists the workspace's schedules by name.
func (h *Handler) ListSchedules(ctx context.Context, req *schedulev1.ListSchedulesRequest) (*schedulev1.ListSchedulesResponse, error) {
	list, err := h.store.List(ctx, caller.From(ctx), req.GetPipeline())
	if err != nil {
		return nil, err
	}
	res := &schedulev1.ListSchedulesResponse{}
	for _, s := range list {
		res.Schedules = append(res.Schedules, h.message(s))
	}
	return res, nil
}

// GetSchedule returns one by name, with its newest fires.
func (h *Handler) GetSchedule(ctx context.Context, req *schedulev1.GetScheduleRequest) (*schedulev1.GetScheduleResponse, error) {
	s, fires, err := h.store.Get(ctx, caller.From(ctx), req.GetName())
	if err != nil {
		return nil, err
	}
	res := &schedulev1.GetScheduleResponse{Schedule: h.message(s)}
	for _, f := range fires {
		res.Fires = append(res.Fires, fireMessage(f))
	}
	return res, nil
}

// PauseSchedule keeps one from firing.
func (h *Handler) PauseSchedule(ctx context.Context, req *schedulev1.PauseScheduleRequest) (*schedulev1.PauseScheduleResponse, error) {
	s, err := h.store.Pause(ctx, caller.From(ctx), req.GetName(), req.GetNote())
	if err != nil {
		return nil, err
	}
	return &schedulev1.PauseScheduleResponse{Schedule: h.message(s)}, nil
}

// ResumeSchedule lets one fire again.
func (h *Handler) ResumeSchedule(ctx context.Context, req *schedulev1.ResumeScheduleRequest) (*schedulev1.ResumeScheduleResponse, error) {
	s, err := h.store.Resume(ctx, caller.From(ctx), req.GetName())
	if err != nil {
		return nil, err
	}
	return &schedulev1.ResumeScheduleResponse{Schedule: h.message(s)}, nil
}

// DeleteSchedule ends one that somebody made.
func (h *Handler) DeleteSchedule(ctx context.Context, req *schedulev1.DeleteScheduleRequest) (*schedulev1.DeleteScheduleResponse, error) {
	if err := h.store.Delete(ctx, caller.From(ctx), req.GetName()); err != nil {
		return nil, err
	}
	return &schedulev1.DeleteScheduleResponse{}, nil
}
