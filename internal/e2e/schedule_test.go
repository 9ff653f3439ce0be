package e2e_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	schedulev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1/schedulev1connect"
)

const ticking = `signalbox: v1
name: ticking
triggers:
  - {every: 1d, name: daily}
tasks:
  a:
    run: 'true'
`

// TestSchedulesMakeUpForAnOutage kills the control plane over some ticks of a
// schedule of every second: `all` has a run for each of them, `latest` for one.
func TestSchedulesMakeUpForAnOutage(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		tn := s.signUp("ticking")
		tn.apply(ticking)
		tn.must("schedule", "create", "all", "--pipeline", "ticking", "--every", "1s", "--catchup", "all")
		tn.must("schedule", "create", "latest", "--pipeline", "ticking", "--every", "1s", "--catchup", "latest")
		eventually(t, 20*time.Second, "both have fired", func() bool { return tn.lastFire("all") != nil && tn.lastFire("latest") != nil })

		for _, p := range s.servers {
			p.kill()
		}
		down := time.Now()
		// The outage itself: there is nothing to wait for but its end.
		<-time.After(6 * time.Second)
		for _, p := range s.servers {
			p.start()
		}
		up := time.Now()
		s.serving()
		eventually(t, 30*time.Second, "both fire again", func() bool {
			all, latest := tn.lastFire("all"), tn.lastFire("latest")
			return all != nil && latest != nil && all.GetNominal().AsTime().After(up) && latest.GetNominal().AsTime().After(up)
		})
		tn.must("schedule", "pause", "all", "--note", "enough")
		tn.must("schedule", "pause", "latest")

		// The seconds that lay whole within the outage.
		missed := func(name string) int {
			n := 0
			for _, r := range tn.scheduledRuns(name) {
				if at := r.GetNominal().AsTime(); at.After(down.Add(time.Second)) && at.Before(up.Add(-time.Second)) {
					require.Equal(t, r.GetNominal().AsTime(), r.GetIntervalEnd().AsTime())
					require.Equal(t, time.Second, r.GetIntervalEnd().AsTime().Sub(r.GetIntervalStart().AsTime()))
					n++
				}
			}
			return n
		}
		require.GreaterOrEqual(t, missed("all"), 3)
		require.Zero(t, missed("latest"), "only the newest, which lies at the end of the outage")
		nominals := map[time.Time]bool{}
		runs := tn.scheduledRuns("all")
		for i, r := range runs {
			at := r.GetNominal().AsTime()
			require.False(t, nominals[at], "%s has one run", at)
			nominals[at] = true
			if i > 0 {
				require.Equal(t, time.Second, runs[i-1].GetNominal().AsTime().Sub(at), "no second is left out")
			}
		}
	})
}

func (tn *tenant) schedules() schedulev1connect.ScheduleServiceClient {
	return schedulev1connect.NewScheduleServiceClient(tn.http, tn.url)
}

// lastFire is the newest fire that has its run; nil while there is none, or no
// server.
func (tn *tenant) lastFire(name string) *schedulev1.Fire {
	res, err := tn.schedules().GetSchedule(tn.t.Context(), &schedulev1.GetScheduleRequest{Name: name})
	if err != nil {
		return nil
	}
	if f := res.GetSchedule().GetLast(); f.GetRunId() != "" {
		return f
	}
	return nil
}

// scheduledRuns are the runs of a schedule, newest first.
func (tn *tenant) scheduledRuns(schedule string) []*runv1.Run {
	tn.t.Helper()
	res, err := tn.runs.ListRuns(tn.t.Context(), &runv1.ListRunsRequest{PageSize: 200})
	require.NoError(tn.t, err)
	var out []*runv1.Run
	for _, r := range res.GetRuns() {
		if r.GetCause() == "schedule" && r.GetActor() == schedule {
			out = append(out, r)
		}
	}
	return out
}

// TestSchedulesFollowTheDeployedVersion: a schedule of the file comes, changes
// and goes with the version that is deployed, and keeps its pause.
func TestSchedulesFollowTheDeployedVersion(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("following")
		tn.apply(ticking)
		first := tn.schedule("ticking.daily")
		require.Equal(t, "file", first.GetSource())
		require.Len(t, first.GetNext(), 5)
		tn.must("schedule", "pause", "ticking.daily", "--note", "not yet")
		tn.apply(ticking + "    env: {A: b}\n")
		again := tn.schedule("ticking.daily")
		require.Equal(t, first.GetId(), again.GetId())
		require.True(t, again.GetPaused(), "what stays keeps its pause")
		require.Equal(t, "not yet", again.GetPauseNote())
		_, code := tn.cli("schedule", "delete", "ticking.daily")
		require.Equal(t, 6, code, "it is the file's")

		tn.apply("signalbox: v1\nname: ticking\ntasks:\n  a:\n    run: 'true'\n")
		_, code = tn.cli("schedule", "get", "ticking.daily")
		require.Equal(t, 3, code)

		versions, err := tn.pipelines.ListVersions(t.Context(), &pipelinev1.ListVersionsRequest{Pipeline: "ticking"})
		require.NoError(t, err)
		oldest := versions.GetVersions()[len(versions.GetVersions())-1]
		tn.must("pipeline", "deploy", "ticking", oldest.GetDigest())
		back := tn.schedule("ticking.daily")
		require.False(t, back.GetPaused(), "what comes back is new")
		require.NotEqual(t, first.GetId(), back.GetId())
	})
}

func (tn *tenant) schedule(name string) *schedulev1.Schedule {
	tn.t.Helper()
	res, err := tn.schedules().GetSchedule(tn.t.Context(), &schedulev1.GetScheduleRequest{Name: name})
	require.NoError(tn.t, err)
	return res.GetSchedule()
}

// TestPreviewOfTheNightsInBerlin: the check of the specification.
func TestPreviewOfTheNightsInBerlin(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("preview")
		for from, want := range map[string][]string{
			"2026-03-28": {"2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"},
			"2026-10-24": {"2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		} {
			out := tn.must("schedule", "preview", "--cron", "30 2 * * *", "--tz", "Europe/Berlin", "--from", from, "--n", "3", "--json")
			var got struct {
				Fires []struct{ Local string }
			}
			require.NoError(t, json.Unmarshal([]byte(out), &got))
			var locals []string
			for _, f := range got.Fires {
				locals = append(locals, f.Local)
			}
			require.Equal(t, want, locals, from)
		}
	})
}
