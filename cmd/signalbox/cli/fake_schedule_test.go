package cli_test

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"

	schedulev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

func (f *fake) schedule(name string) *schedulev1.Schedule {
	return &schedulev1.Schedule{
		Id: fakeID(id.Schedule, 1), Name: name, Pipeline: "train", Source: "api", CreatedBy: "ada@example.com", CreatedAt: before(time.Hour), Fired: 7,
		Spec: &schedulev1.Spec{Cron: "30 2 * * *", Timezone: "Europe/Berlin", Catchup: "all"},
		Next: []*schedulev1.Moment{
			{At: before(-14 * time.Hour), Local: "2026-11-21T03:00:00+01:00"}, {At: before(-38 * time.Hour), Local: "2026-11-22T03:00:00+01:00", ClockChanged: true},
		},
		Last: f.fires()[0],
	}
}

func (f *fake) fires() []*schedulev1.Fire {
	return []*schedulev1.Fire{
		{Nominal: before(9 * time.Hour), State: "started", RunId: fakeID(id.Run, 7), RunNumber: 7, RunState: "succeeded"},
		{Nominal: before(33 * time.Hour), State: "dropped", Reason: "overlap: drop_new"},
	}
}

func (f *fake) ListSchedules(context.Context, *schedulev1.ListSchedulesRequest) (*schedulev1.ListSchedulesResponse, error) {
	paused := f.schedule("train.1")
	paused.Source, paused.Paused, paused.PauseNote, paused.PausedBy, paused.PausedAt = "file", true, "no data", "ada@example.com", before(time.Hour)
	return &schedulev1.ListSchedulesResponse{Schedules: []*schedulev1.Schedule{f.schedule("nightly"), paused}}, nil
}

func (f *fake) GetSchedule(_ context.Context, req *schedulev1.GetScheduleRequest) (*schedulev1.GetScheduleResponse, error) {
	return &schedulev1.GetScheduleResponse{Schedule: f.schedule(req.GetName()), Fires: f.fires()}, nil
}

func (f *fake) CreateSchedule(_ context.Context, req *schedulev1.CreateScheduleRequest) (*schedulev1.CreateScheduleResponse, error) {
	s := f.schedule(req.GetName())
	s.Spec, s.Pipeline, s.Fired = req.GetSpec(), req.GetPipeline(), 0
	return &schedulev1.CreateScheduleResponse{Schedule: s}, nil
}

func (f *fake) PauseSchedule(_ context.Context, req *schedulev1.PauseScheduleRequest) (*schedulev1.PauseScheduleResponse, error) {
	s := f.schedule(req.GetName())
	s.Paused, s.PauseNote, s.PausedBy, s.PausedAt = true, req.GetNote(), "ada@example.com", before(0)
	return &schedulev1.PauseScheduleResponse{Schedule: s}, nil
}

func (f *fake) ResumeSchedule(_ context.Context, req *schedulev1.ResumeScheduleRequest) (*schedulev1.ResumeScheduleResponse, error) {
	return &schedulev1.ResumeScheduleResponse{Schedule: f.schedule(req.GetName())}, nil
}

func (f *fake) DeleteSchedule(_ context.Context, req *schedulev1.DeleteScheduleRequest) (*schedulev1.DeleteScheduleResponse, error) {
	if req.GetName() != "nightly" {
		return nil, connect.NewError(connect.CodeFailedPrecondition, errors.New("it stands in its file"))
	}
	return &schedulev1.DeleteScheduleResponse{}, nil
}
