package schedule_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/schedule"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// model is an expression as the lists of what it names, and the slow, obviously
// right way to say when it fires: look at the clock each minute.
type model struct {
	minutes, hours, days, months, weekdays map[int]bool // nil: all
}

func (m model) named(list map[int]bool, n int) bool { return list == nil || list[n] }

func (m model) fits(wall time.Time) bool {
	day, weekday := m.named(m.days, wall.Day()), m.named(m.weekdays, int(wall.Weekday()))
	fits := day && weekday
	if m.days != nil && m.weekdays != nil {
		fits = day || weekday
	}
	return fits && m.named(m.minutes, wall.Minute()) && m.named(m.hours, wall.Hour()) && m.named(m.months, int(wall.Month()))
}

func (m model) String() string {
	text := func(list map[int]bool) string {
		if list == nil {
			return "*"
		}
		var out []string
		for n := range 60 {
			if list[n] {
				out = append(out, strconv.Itoa(n))
			}
		}
		return strings.Join(out, ",")
	}
	return strings.Join([]string{text(m.minutes), text(m.hours), text(m.days), text(m.months), text(m.weekdays)}, " ")
}

func wallOf(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// fires walks from one instant to another, a minute at a time.
func (m model) fires(from, to time.Time, loc *time.Location) []time.Time {
	var out []time.Time
	shown := map[time.Time]bool{}
	last := wallOf(from.Add(-3 * time.Hour).In(loc))
	for t := from.Add(-3 * time.Hour); !t.After(to); t = t.Add(time.Minute) {
		wall := wallOf(t.In(loc))
		fires := m.fits(wall) && (m.hours == nil || !shown[wall])
		if m.hours != nil {
			// What the clock has left out is made up for now.
			for w := last.Add(time.Minute); w.Before(wall); w = w.Add(time.Minute) {
				fires = fires || m.fits(w) && !shown[w]
				shown[w] = true
			}
		}
		shown[wall], last = true, wall
		if fires && t.After(from) {
			out = append(out, t)
		}
	}
	return out
}

func list(low, high, most int) *rapid.Generator[map[int]bool] {
	return rapid.Custom(func(t *rapid.T) map[int]bool {
		if rapid.Bool().Draw(t, "all") {
			return nil
		}
		out := map[int]bool{}
		for _, n := range rapid.SliceOfN(rapid.IntRange(low, high), 1, most).Draw(t, "named") {
			out[n] = true
		}
		if len(out) == high-low+1 {
			return nil
		}
		return out
	})
}

// Jumps of the clock of every kind: an hour, half an hour, at midnight, a whole
// day, none.
var jumps = []struct{ zone, at string }{
	{"Europe/Berlin", "2026-03-29T01:00:00Z"},
	{"Europe/Berlin", "2026-10-25T01:00:00Z"},
	{"America/New_York", "2026-11-01T06:00:00Z"},
	{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"},
	{"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
	{"America/Havana", "2026-03-08T05:00:00Z"},
	{"Pacific/Apia", "2011-12-30T10:00:00Z"},
	{"Asia/Pyongyang", "2018-05-04T15:00:00Z"},
	{"UTC", "2026-02-28T12:00:00Z"},
}

func TestCronIsWhatTheClockShows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := model{
			minutes: list(0, 59, 4).Draw(t, "minutes"), hours: list(0, 23, 6).Draw(t, "hours"), days: list(1, 28, 4).Draw(t, "days"),
			months: list(1, 12, 11).Draw(t, "months"), weekdays: list(0, 6, 3).Draw(t, "weekdays"),
		}
		jump := rapid.SampledFrom(jumps).Draw(t, "jump")
		at, err := time.Parse(time.RFC3339, jump.at)
		require.NoError(t, err)
		loc, err := schedule.Zone(jump.zone)
		require.NoError(t, err)
		s, faults := schedule.Compile(plan.Schedule{Cron: m.String(), Timezone: jump.zone})
		require.Empty(t, faults)

		from := at.Add(-time.Duration(rapid.IntRange(1, 40*60).Draw(t, "before")) * time.Minute)
		to := at.Add(40 * time.Hour)
		want := m.fires(from, to, loc)
		var got []time.Time
		for after := from; ; {
			next, ok := s.Next(after)
			if !ok || next.After(to) {
				break
			}
			require.True(t, next.After(after))
			got, after = append(got, next.UTC()), next
		}
		require.Equal(t, want, got, "%s in %s", m, jump.zone)
		for i := 1; i < len(want); i++ {
			previous, ok := s.Previous(want[i])
			require.True(t, ok)
			require.Equal(t, want[i-1], previous.UTC())
		}
	})
}
