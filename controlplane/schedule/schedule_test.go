package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/schedule"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

const stamp = "2006-01-02T15:04:05-07:00"

func compile(t *testing.T, spec plan.Schedule) *schedule.Schedule {
	t.Helper()
	s, faults := schedule.Compile(spec)
	require.Empty(t, faults)
	return s
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return at
}

func TestNext(t *testing.T) {
	t.Parallel()
	const berlin = "Europe/Berlin"
	for _, c := range []struct {
		name string
		spec plan.Schedule
		from string
		want []string
	}{
		{
			"a missing time fires at the first that exists",
			plan.Schedule{Cron: "30 2 * * *", Timezone: berlin},
			"2026-03-28T00:00:00+01:00",
			[]string{"2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"},
		},
		{
			"a doubled time fires once",
			plan.Schedule{Cron: "30 2 * * *", Timezone: berlin},
			"2026-10-24T00:00:00+02:00",
			[]string{"2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		},
		{
			"every hour goes on when the clock is put back",
			plan.Schedule{Cron: "@hourly", Timezone: berlin},
			"2026-10-25T01:30:00+02:00",
			[]string{"2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"},
		},
		{
			"every hour does not fire twice when it is put forward",
			plan.Schedule{Cron: "30 * * * *", Timezone: berlin},
			"2026-03-29T01:00:00+01:00",
			[]string{"2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"},
		},
		{
			"a skipped night makes one fire of many",
			plan.Schedule{Cron: "*/15 2,3 * * *", Timezone: berlin},
			"2026-03-29T00:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-29T03:15:00+02:00"},
		},
		{
			"a day that never was",
			plan.Schedule{Cron: "0 9 30 12 *", Timezone: "Pacific/Apia"},
			"2011-12-01T00:00:00Z",
			[]string{"2011-12-31T00:00:00+14:00", "2012-12-30T09:00:00+14:00"},
		},
		{
			"six fields",
			plan.Schedule{Cron: "*/20 0 0 * * *"},
			"2026-01-01T00:00:30Z",
			[]string{"2026-01-01T00:00:40Z", "2026-01-02T00:00:00Z"},
		},
		{
			"names, and ranges over Sunday",
			plan.Schedule{Cron: "0 0 * JAN FRI-SUN"},
			"2026-01-02T12:00:00Z",
			[]string{"2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z", "2026-01-09T00:00:00Z"},
		},
		{
			"either day",
			plan.Schedule{Cron: "0 0 13 * 5"},
			"2026-02-01T00:00:00Z",
			[]string{"2026-02-06T00:00:00Z", "2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z"},
		},
		{"the last day", plan.Schedule{Cron: "0 0 L * *"}, "2028-01-31T12:00:00Z", []string{"2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z"}},
		{"the second Monday", plan.Schedule{Cron: "0 0 * * MON#2"}, "2026-01-01T00:00:00Z", []string{"2026-01-12T00:00:00Z", "2026-02-09T00:00:00Z"}},
		{"the last Friday", plan.Schedule{Cron: "0 0 * * 5L"}, "2026-01-01T00:00:00Z", []string{"2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z"}},
		{"leap years over a century", plan.Schedule{Cron: "0 0 29 2 *"}, "2096-03-01T00:00:00Z", []string{"2104-02-29T00:00:00Z"}},
		{
			"the end of a leap year",
			plan.Schedule{Cron: "@hourly", Timezone: berlin},
			"2040-12-31T22:30:00Z",
			[]string{"2041-01-01T00:00:00+01:00", "2041-01-01T01:00:00+01:00"},
		},
		{"an interval", plan.Schedule{Every: 5_400_000}, "2026-01-01T00:10:00Z", []string{"2026-01-01T01:30:00Z", "2026-01-01T03:00:00Z"}},
		{
			"an interval from its anchor",
			plan.Schedule{Every: 3_600_000, Anchor: "2026-05-01T00:20", Timezone: berlin},
			"2026-01-01T00:00:00Z",
			[]string{"2026-01-01T01:20:00+01:00"},
		},
		{
			"dates",
			plan.Schedule{Dates: []string{"2026-12-24", "2026-06-01T09:30", "2026-12-24"}, Timezone: berlin},
			"2026-01-01T00:00:00Z",
			[]string{"2026-06-01T09:30:00+02:00", "2026-12-24T00:00:00+01:00"},
		},
		{
			"bounds",
			plan.Schedule{Cron: "@daily", Start: "2026-03-02", End: "2026-03-03"},
			"2020-01-01T00:00:00Z",
			[]string{"2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"},
		},
		{
			"exclusions",
			plan.Schedule{Cron: "0 */12 * * *", Exclude: []string{"2026-03-03", "* * * * SAT,SUN", "2026-03-05T12:00:00Z"}},
			"2026-03-02T01:00:00Z",
			[]string{"2026-03-02T12:00:00Z", "2026-03-04T00:00:00Z", "2026-03-04T12:00:00Z", "2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z", "2026-03-06T12:00:00Z", "2026-03-09T00:00:00Z"},
		},
	} {
		s := compile(t, c.spec)
		var got []string
		for _, at := range s.NextN(instant(t, c.from), len(c.want)) {
			got = append(got, at.Format(stamp))
		}
		for i := range c.want {
			c.want[i] = instant(t, c.want[i]).In(s.Location()).Format(stamp)
		}
		require.Equal(t, c.want, got, c.name)
	}
}

func TestEndsAreEnds(t *testing.T) {
	t.Parallel()
	s := compile(t, plan.Schedule{Cron: "@daily", Start: "2026-03-02", End: "2026-03-03"})
	_, ok := s.Next(instant(t, "2026-03-03T00:00:00Z"))
	require.False(t, ok)
	_, ok = s.Previous(instant(t, "2026-03-02T00:00:00Z"))
	require.False(t, ok)
	last, ok := s.Previous(instant(t, "2027-01-01T00:00:00Z"))
	require.True(t, ok)
	require.Equal(t, instant(t, "2026-03-03T00:00:00Z"), last.UTC())
	start, end := s.Interval(instant(t, "2026-03-02T00:00:00Z"))
	require.Equal(t, 24*time.Hour, end.Sub(start), "the first interval is as long as the others")
}

func TestFaultsSayWhatToWrite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		spec  plan.Schedule
		field string
		text  string
	}{
		{plan.Schedule{}, "schedule", "one of three"},
		{plan.Schedule{Cron: "@daily", Every: 1000}, "schedule", "one of three"},
		{plan.Schedule{Cron: "* * *"}, "schedule", "has 3 fields"},
		{plan.Schedule{Cron: "61 * * * *"}, "schedule", `the minute "61" is not between 0 and 59; write`},
		{plan.Schedule{Cron: "0 9 * * MOO"}, "schedule", "neither a number nor a name such as MON"},
		{plan.Schedule{Cron: "0 22-6 * * *"}, "schedule", "runs backwards: write two, as in 22-23,0-6"},
		{plan.Schedule{Cron: "*/0 * * * *"}, "schedule", "no step"},
		{plan.Schedule{Cron: "0 0 30 2 *"}, "schedule", "never fires"},
		{plan.Schedule{Cron: "@sometimes"}, "schedule", "write @yearly"},
		{plan.Schedule{Cron: "0 0 * * MON#6"}, "schedule", "behind the #"},
		{plan.Schedule{Every: 10}, "every", "at least a second"},
		{plan.Schedule{Cron: "@daily", Timezone: "Europe/Bonn"}, "timezone", "Europe/Berlin"},
		{plan.Schedule{Cron: "@daily", Timezone: "Local"}, "timezone", "no time zone"},
		{plan.Schedule{Cron: "@daily", Anchor: "2026-01-01"}, "anchor", "needs `every`"},
		{plan.Schedule{Cron: "@daily", Catchup: "yes"}, "catchup", "write none, latest, all or window(2d)"},
		{plan.Schedule{Cron: "@daily", Catchup: "window(2)"}, "catchup", "needs a unit"},
		{plan.Schedule{Cron: "@daily", Overlap: "strict"}, "overlap", "not supported yet"},
		{plan.Schedule{Cron: "@daily", Overlap: "skip"}, "overlap", "drop_new"},
		{plan.Schedule{Cron: "@daily", Jitter: 4_000_000}, "jitter", "at most an hour"},
		{plan.Schedule{Cron: "@daily", Start: "tomorrow"}, "start", "write 2026-12-24"},
		{plan.Schedule{Cron: "@daily", Start: "2026-02-01", End: "2026-01-01"}, "end", "before the start"},
		{plan.Schedule{Cron: "@daily", Exclude: []string{"weekends"}}, "exclude", "excludes nothing"},
		{plan.Schedule{Cron: "@daily", Exclude: []string{"* * * * *"}}, "exclude", "everything is excluded"},
		{plan.Schedule{Dates: []string{"soon"}}, "dates", "is no time"},
	} {
		_, faults := schedule.Compile(c.spec)
		require.Len(t, faults, 1, "%+v", c.spec)
		require.Equal(t, c.field, faults[0].Field)
		require.Contains(t, faults[0].Text, c.text)
	}
	_, faults := schedule.Compile(plan.Schedule{Cron: "99 99 * * *", Timezone: "x", Overlap: "y"})
	require.Len(t, faults, 3, "all at once")
}

func TestDue(t *testing.T) {
	t.Parallel()
	noon := instant(t, "2026-01-01T12:00:00Z")
	minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	for _, c := range []struct {
		catchup string
		now     time.Time
		most    int
		want    []int // minutes behind noon
		cursor  int
	}{
		{"all", minute(5), 100, []int{1, 2, 3, 4, 5}, 5},
		{"all", minute(5), 2, []int{1, 2}, 2},
		{"latest", minute(5).Add(50 * time.Second), 100, []int{5}, 5},
		{"", minute(5), 100, []int{5}, 5},
		{"latest", noon, 100, nil, 0},
		{"latest", minute(5), 0, nil, 5},
		{"none", minute(5).Add(10 * time.Second), 100, []int{5}, 5},
		{"none", minute(5).Add(50 * time.Second), 100, nil, 5},
		{"window(2m)", minute(5).Add(time.Second), 100, []int{4, 5}, 5},
		{"window(10m)", minute(3), 100, []int{1, 2, 3}, 3},
	} {
		s := compile(t, plan.Schedule{Cron: "* * * * *", Catchup: c.catchup})
		fires, cursor := s.Due(id.Nil, noon, c.now, c.most)
		var got []int
		for _, f := range fires {
			got = append(got, int(f.Sub(noon).Minutes()))
		}
		require.Equal(t, c.want, got, c.catchup)
		require.Equal(t, c.cursor, int(cursor.Sub(noon).Minutes()), c.catchup)
	}
}

func TestJitterMovesTheServiceAndNotTheName(t *testing.T) {
	t.Parallel()
	s := compile(t, plan.Schedule{Cron: "* * * * *", Jitter: 30_000, Catchup: "all"})
	a, b := id.UUID{1}, id.UUID{2}
	noon := instant(t, "2026-01-01T12:00:00Z")
	spread := map[time.Duration]bool{}
	for n := range 50 {
		nominal := noon.Add(time.Duration(n) * time.Minute)
		offset := s.Offset(a, nominal)
		require.Equal(t, offset, s.Offset(a, nominal))
		require.LessOrEqual(t, offset, 30*time.Second)
		spread[offset], spread[s.Offset(b, nominal)] = true, true
		fires, _ := s.Due(a, nominal.Add(-time.Nanosecond), nominal.Add(offset), 9)
		require.Len(t, fires, 1)
		require.Equal(t, nominal, fires[0].UTC())
		early, _ := s.Due(a, nominal.Add(-time.Nanosecond), nominal.Add(offset-time.Millisecond), 9)
		require.Empty(t, early)
	}
	require.Greater(t, len(spread), 90)
}

func TestOverlapDecide(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		overlap         schedule.Overlap
		waiting, active int
		want            string // of Wait, Start and Drop
		cancel          bool
	}{
		{schedule.OverlapAllow, 3, 2, "SSS", false},
		{schedule.OverlapQueue, 5, 0, "SWWWW", false},
		{schedule.OverlapQueue, 2, 1, "WW", false},
		{schedule.OverlapQueueLatest, 5, 0, "SDDDW", false},
		{schedule.OverlapQueueLatest, 3, 1, "DDW", false},
		{schedule.OverlapQueueFirst, 5, 0, "SWDDD", false},
		{schedule.OverlapQueueFirst, 3, 1, "WDD", false},
		{schedule.OverlapDropNew, 5, 0, "SDDDD", false},
		{schedule.OverlapDropNew, 2, 1, "DD", false},
		{schedule.OverlapCancelRunning, 5, 0, "DDDDS", false},
		{schedule.OverlapCancelRunning, 2, 1, "DW", true},
		{schedule.OverlapCancelRunning, 0, 1, "", false},
		{schedule.OverlapQueueLatest, 1, 0, "S", false},
		{schedule.OverlapQueueFirst, 1, 1, "W", false},
	} {
		verdicts, cancel := c.overlap.Decide(c.waiting, c.active)
		got := make([]byte, len(verdicts))
		for i, v := range verdicts {
			got[i] = "WSD"[v]
		}
		require.Equal(t, c.want, string(got), "%s %d %d", c.overlap, c.waiting, c.active)
		require.Equal(t, c.cancel, cancel)
	}
}
