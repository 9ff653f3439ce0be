package schedule_test

import (
	"testing"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/schedule"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Whatever is written as a schedule is refused in words, or goes on in time.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{
		"0 2 * * 1-5", "*/10 * * * * *", "@daily", "0 0 L * *", "0 0 29 2 *", "0 9 * JAN,FEB MON#1", "5/15 * * * FRIL", "0 0 30 2 *", "-1 * * * *", "1-0 * * * *",
	} {
		f.Add(text, "Europe/Berlin", "* * * * SAT,SUN", int64(1_774_700_000))
	}
	f.Fuzz(func(t *testing.T, cron, zone, exclude string, at int64) {
		spec := plan.Schedule{Cron: cron, Timezone: zone}
		if exclude != "" {
			spec.Exclude = []string{exclude}
		}
		s, faults := schedule.Compile(spec)
		for _, fault := range faults {
			if fault.Text == "" {
				t.Fatal("a fault without words")
			}
		}
		if s == nil {
			return
		}
		after := time.Unix(at%4_000_000_000, 0)
		next, ok := s.Next(after)
		if !ok {
			return
		}
		if !next.After(after) {
			t.Fatalf("%q: %v after %v", cron, next, after)
		}
		if back, ok := s.Previous(next.Add(time.Nanosecond)); !ok || !back.Equal(next) {
			t.Fatalf("%q: %v is not the last one before %v, but %v", cron, next, next, back)
		}
	})
}
