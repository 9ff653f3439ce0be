package firing_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/migrations"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestCatchUpAfterAnOutage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f := b.firing()
	for name, c := range map[string]struct {
		catchup string
		runs    string
	}{
		"everything": {"all", "SSSSS"}, "newest": {"latest", "S"}, "recent": {"window(3h)", "SSS"},
	} {
		b.hourly(name, 5, func(s *plan.Schedule) { s.Catchup = c.catchup })
		b.look(f)
		require.Equal(t, c.runs, b.fires(name), name)
	}
	require.Equal(t, 9, one[int](b, `SELECT count(DISTINCT (schedule_id, nominal)) FROM schedule_fire`))
	require.Equal(t, 9, one[int](b, `SELECT count(*) FROM run WHERE cause = 'schedule' AND actor LIKE 'sch_%'`))
	require.Equal(t, 9, one[int](b, `SELECT count(*) FROM schedule_fire WHERE interval_end = nominal AND interval_start = nominal - interval '1 hour'`))
	require.Equal(t, 3, one[int](b, `SELECT count(*) FROM schedule WHERE next_at > clock_timestamp() AND next_at < clock_timestamp() + interval '1 hour'`))
}

// What a scheduled run is about stands with runs of before it did, too.
func TestRunsOfBeforeAreToldTheirTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hourly("all", 3, func(s *plan.Schedule) { s.Catchup = "all" })
	b.look(b.firing())
	const told = `SELECT count(*) FROM run r JOIN schedule_fire f ON f.run_id = r.id AND (f.nominal, f.interval_start) = (r.nominal, r.interval_start)`
	require.Equal(t, 3, one[int](b, told))
	b.exec(`UPDATE run SET nominal = NULL, interval_start = NULL`, nil)
	const before = 205
	require.NoError(t, migrations.Down(t.Context(), b.db.URL(), before))
	require.NoError(t, migrations.Up(t.Context(), b.db.URL()))
	require.Equal(t, 3, one[int](b, told))
}

func TestOverlap(t *testing.T) {
	t.Parallel()
	for overlap, want := range map[string][]string{ // after each run has ended
		"allow":          {"SSSSS", "SSSSS"},
		"queue":          {"Swwww", "SSwww", "SSSww"},
		"queue_latest":   {"SDDDw", "SDDDS"},
		"queue_first":    {"SwDDD", "SSDDD"},
		"drop_new":       {"SDDDD", "SDDDD"},
		"cancel_running": {"DDDDS", "DDDDS"},
	} {
		t.Run(overlap, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			f := b.firing()
			b.hourly("one", 5, func(s *plan.Schedule) { s.Overlap = overlap })
			b.look(f)
			require.Equal(t, want[0], b.fires("one"))
			for _, then := range want[1:] {
				b.again(f)
				if overlap != "allow" {
					require.Equal(t, 1, one[int](b, `SELECT count(*) FROM run WHERE finished_at IS NULL`))
				}
				b.end()
				b.again(f)
				require.Equal(t, then, b.fires("one"))
			}
		})
	}
}

func TestCancelRunningTakesThePlace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f := b.firing()
	b.hourly("one", 2, func(s *plan.Schedule) { s.Overlap, s.Anchor = "cancel_running", "2026-01-01" })
	b.look(f)
	require.Equal(t, "DS", b.fires("one"))
	// Another fire is due while the run runs: by another interval.
	b.exec(`UPDATE schedule SET spec = '{"every_ms":60000,"catchup":"latest","overlap":"cancel_running"}'`, nil)
	b.exec(`UPDATE schedule SET cursor = (SELECT max(nominal) FROM schedule_fire), next_at = clock_timestamp()`, nil)
	b.exec(`UPDATE schedule_fire SET nominal = nominal - interval '2 hours'`, nil)
	b.look(f)
	require.Equal(t, "DSw", b.fires("one"))
	b.again(f)
	require.Equal(t, "DSS", b.fires("one"))
	require.Equal(t, "canceled running", one[string](b, `SELECT string_agg(state, ' ' ORDER BY id) FROM run`))
}

func TestPauseOnFailure(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f := b.firing()
	b.hourly("one", 1, func(s *plan.Schedule) { s.PauseOnFailure = true })
	b.look(f)
	require.Equal(t, "S", b.fires("one"))
	b.exec(`UPDATE run SET state = 'failed', outcome = 'failed', finished_at = clock_timestamp()`, nil)
	b.again(f)
	s, fires, err := b.store.Get(t.Context(), b.by, "one")
	require.NoError(t, err)
	require.True(t, s.Paused)
	require.Equal(t, "run #1 failed", s.PauseNote)
	require.Equal(t, "system", s.PausedBy)
	require.Len(t, fires, 1)
	b.outage("one", 3)
	b.look(f)
	require.Equal(t, "S", b.fires("one"), "paused is paused")
	_, err = b.store.Resume(t.Context(), b.by, "one")
	require.NoError(t, err)
	b.look(f)
	require.Equal(t, "S", b.fires("one"), "what was due meanwhile is not made up for")
	b.exec(`UPDATE schedule SET spec = '{"every_ms":60000,"pause_on_failure":true}'`, nil)
	b.exec(`UPDATE schedule_fire SET nominal = nominal - interval '1 day'`, nil)
	b.outage("one", 1)
	b.look(f)
	require.Equal(t, "SS", b.fires("one"), "one failure pauses once")
}

func TestPauseKeepsWhatWaits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f := b.firing()
	b.hourly("one", 3, func(s *plan.Schedule) { s.Overlap = "queue" })
	b.look(f)
	require.Equal(t, "Sww", b.fires("one"))
	_, err := b.store.Pause(t.Context(), b.by, "one", "waiting for data")
	require.NoError(t, err)
	b.end()
	b.look(f)
	require.Equal(t, "Sww", b.fires("one"))
	require.Zero(t, one[int](b, `SELECT count(*) FROM schedule WHERE next_at IS NOT NULL`))
	_, err = b.store.Resume(t.Context(), b.by, "one")
	require.NoError(t, err)
	b.look(f)
	require.Equal(t, "SSw", b.fires("one"))
	require.NoError(t, b.store.Delete(t.Context(), b.by, "one"))
	b.look(f)
	require.Equal(t, "SSD", b.fires("one"))
}

func TestMaxRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f := b.firing()
	b.hourly("one", 5, func(s *plan.Schedule) { s.MaxRuns = 3 })
	b.look(f)
	require.Equal(t, "SSS", b.fires("one"))
	require.Equal(t, int64(3), one[int64](b, `SELECT fired FROM schedule`))
	require.Zero(t, one[int](b, `SELECT count(*) FROM schedule WHERE next_at IS NOT NULL`))
}

// What cannot start is recorded, and the schedule goes on.
func TestRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	f := b.firing()
	b.hourly("one", 1, func(s *plan.Schedule) { s.Params = []plan.ScheduleParam{{Name: "depth", Value: []byte(`"deep"`)}} })
	b.hourly("two", 1, func(*plan.Schedule) {})
	b.look(f)
	require.Equal(t, "R", b.fires("one"))
	require.Equal(t, "S", b.fires("two"))
	require.Contains(t, one[string](b, `SELECT reason FROM schedule_fire WHERE state = 'refused'`), "PARAM_INVALID: ")
	b.exec(`UPDATE organization SET state = 'restricted'`, nil)
	b.hourly("three", 1, func(*plan.Schedule) {})
	b.look(f)
	require.Equal(t, "R", b.fires("three"))
	b.exec(`UPDATE organization SET state = 'active'`, nil)
	b.exec(`UPDATE pipeline SET paused = true`, nil)
	b.hourly("four", 1, func(*plan.Schedule) {})
	b.look(f)
	require.Equal(t, "S", b.fires("four"), "its run waits for the pipeline")
	b.exec(`UPDATE pipeline SET paused = false, deployed = NULL`, nil)
	b.hourly("five", 1, func(*plan.Schedule) {})
	b.look(f)
	require.Equal(t, "R", b.fires("five"))
	require.Contains(t, one[string](b, `SELECT string_agg(reason, ' ') FROM schedule_fire`), "VERSION_NOT_DEPLOYED: ")
}

// A schedule that no look can serve does not keep the others from theirs.
func TestPoisonRests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.hourly("sick", 1, func(*plan.Schedule) {})
	b.hourly("well", 1, func(*plan.Schedule) {})
	b.exec(`UPDATE schedule SET spec = 'no json', next_at = @then WHERE name = 'sick'`, pgx.NamedArgs{"then": time.Now().Add(-time.Hour)})
	b.look(b.firing())
	require.Equal(t, "S", b.fires("well"))
	require.Equal(t, 2, one[int](b, `SELECT count(*) FROM schedule WHERE next_at > clock_timestamp()`))
}
