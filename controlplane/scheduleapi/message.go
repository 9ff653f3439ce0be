package scheduleapi

import (
	"encoding/base64"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/schedule"
	"github.com/signalboxhq/signalbox/controlplane/scheduledb"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	schedulev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// specOf is a spec as it is stored. What is wrong with it is the store's to say.
func specOf(in *schedulev1.Spec, params []*runv1.Value) plan.Schedule {
	out := plan.Schedule{
		Cron: in.GetCron(), Every: plan.Millis(in.GetEveryMs()), Anchor: in.GetAnchor(), Dates: in.GetDates(),
		Timezone: in.GetTimezone(), Exclude: in.GetExclude(), Start: in.GetStart(), End: in.GetEnd(), Jitter: plan.Millis(in.GetJitterMs()),
		Catchup: in.GetCatchup(), Overlap: in.GetOverlap(), MaxRuns: in.GetMaxRuns(), PauseOnFailure: in.GetPauseOnFailure(),
	}
	for _, v := range params {
		p := plan.ScheduleParam{Name: v.GetName()}
		if sealed := v.GetSealed(); len(sealed) > 0 {
			p.Sealed = base64.RawURLEncoding.EncodeToString(sealed)
		} else {
			p.Value = v.GetOpenJson()
		}
		out.Params = append(out.Params, p)
	}
	return out
}

func specMessage(s plan.Schedule) *schedulev1.Spec {
	out := &schedulev1.Spec{
		Cron: s.Cron, EveryMs: int64(s.Every), Dates: s.Dates, Anchor: s.Anchor, Timezone: s.Timezone, Exclude: s.Exclude,
		Start: s.Start, End: s.End, JitterMs: int64(s.Jitter), Catchup: s.Catchup, Overlap: s.Overlap,
		MaxRuns: s.MaxRuns, PauseOnFailure: s.PauseOnFailure,
	}
	for _, p := range s.Params {
		v := &runv1.Value{Name: p.Name, Content: &runv1.Value_OpenJson{OpenJson: p.Value}, Size: uint32(len(p.Value))}
		if envelope, err := base64.RawURLEncoding.DecodeString(p.Sealed); err == nil && p.Sealed != "" {
			v.Content, v.Size = &runv1.Value_Sealed{Sealed: envelope}, 0
		}
		out.Params = append(out.Params, v)
	}
	return out
}

// shown is how many of the next fires are told.
const shown = 5

func (h *Handler) message(s scheduledb.Schedule) *schedulev1.Schedule {
	out := &schedulev1.Schedule{
		Id: id.Format(id.Schedule, s.ID), Name: s.Name, Pipeline: s.Pipeline, Source: s.Source, Spec: specMessage(s.Spec),
		Paused: s.Paused, PauseNote: s.PauseNote, PausedBy: s.PausedBy, Fired: s.Fired,
		CreatedBy: s.CreatedBy, CreatedAt: timestamppb.New(s.CreatedAt), UpdatedAt: timestamppb.New(s.UpdatedAt),
	}
	if s.PausedAt != nil {
		out.PausedAt = timestamppb.New(*s.PausedAt)
	}
	if s.Last != nil {
		out.Last = fireMessage(*s.Last)
	}
	compiled, faults := schedule.Compile(s.Spec)
	if len(faults) > 0 || s.Spec.MaxRuns > 0 && s.Fired >= s.Spec.MaxRuns {
		return out
	}
	n := shown
	if s.Spec.MaxRuns > 0 {
		n = int(min(int64(n), s.Spec.MaxRuns-s.Fired))
	}
	now := h.now()
	out.Next = moments(compiled.NextN(now, n), now.In(compiled.Location()))
	return out
}

// moments spells instants as their zone does, and tells where its clock was put
// forward or back on the way from before.
func moments(times []time.Time, before time.Time) []*schedulev1.Moment {
	out := make([]*schedulev1.Moment, len(times))
	_, offset := before.Zone()
	for i, t := range times {
		_, o := t.Zone()
		out[i] = &schedulev1.Moment{At: timestamppb.New(t), Local: t.Format(time.RFC3339), ClockChanged: o != offset}
		offset = o
	}
	return out
}

func fireMessage(f scheduledb.Fire) *schedulev1.Fire {
	out := &schedulev1.Fire{
		Nominal: timestamppb.New(f.Nominal), IntervalStart: timestamppb.New(f.IntervalStart), IntervalEnd: timestamppb.New(f.IntervalEnd),
		State: f.State, Reason: f.Reason,
	}
	if f.RunID != nil {
		out.RunId = id.Format(id.Run, *f.RunID)
	}
	if f.RunNumber != nil {
		out.RunNumber = *f.RunNumber
	}
	if f.RunState != nil {
		out.RunState = *f.RunState
	}
	return out
}
