package schedule

import (
	"fmt"
	"slices"
	"time"
)

// exclusion is one thing that takes fires away: a day, an instant, or whatever a
// cron expression says, of the schedule's wall clock.
type exclusion struct {
	day  time.Time // midnight, as a wall time
	at   time.Time
	cron *Cron
}

func parseExclusion(text string, loc *time.Location) (exclusion, error) {
	if day, err := time.Parse("2006-01-02", text); err == nil {
		return exclusion{day: day}, nil
	}
	if at, err := ParseTime(text, loc); err == nil {
		return exclusion{at: at}, nil
	}
	cron, err := ParseCron(text)
	if err != nil {
		return exclusion{}, fmt.Errorf("%q excludes nothing: it is no date such as 2026-12-24, no time and no cron expression (%w)", clip(text), err)
	}
	return exclusion{cron: cron}, nil
}

// takes reports whether the exclusion takes the fire at t, and the whole of its
// day with it.
func (x exclusion) takes(t time.Time) (taken, day bool) {
	wall := wallOf(t)
	switch {
	case x.cron != nil:
		return x.cron.fits(wall), x.cron.wholeDay()
	case !x.at.IsZero():
		return t.Equal(x.at), false
	}
	y, m, d := wall.Date()
	return x.day.Equal(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)), true
}

// excluded returns whether t is taken away, and until when all else is as well.
func (s *Schedule) excluded(t time.Time) (resume time.Time, excluded bool) {
	t = t.In(s.loc)
	for _, x := range s.exclude {
		taken, day := x.takes(t)
		if !taken {
			continue
		}
		if !day {
			return t, true
		}
		y, m, d := t.Date()
		midnight := instantOf(time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC), s.loc)
		if resume = midnight.Add(-time.Nanosecond); resume.Before(t) {
			resume = t
		}
		return resume, true
	}
	return time.Time{}, false
}

func (c *compiling) readDates(texts []string) {
	if len(texts) > MaxDates {
		c.refuse("dates", fmt.Errorf("%d dates are too many; write at most %d", len(texts), MaxDates))
		return
	}
	for _, text := range texts {
		t, err := ParseTime(text, c.s.loc)
		c.refuse("dates", err)
		c.s.dates = append(c.s.dates, t)
	}
	slices.SortFunc(c.s.dates, time.Time.Compare)
	c.s.dates = slices.CompactFunc(c.s.dates, time.Time.Equal)
}
