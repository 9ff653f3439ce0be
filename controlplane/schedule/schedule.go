package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// The limits of one schedule.
const (
	MinEvery   plan.Millis = 1000
	MaxJitter  plan.Millis = 3_600_000
	MaxDates               = 1000
	MaxExclude             = 200
	// horizon is how far a search looks: 29 February on a given weekday may be
	// forty years away.
	horizon = 45 * 366 * 24 * time.Hour
	// maxTries bounds how many excluded times a search steps over one by one.
	maxTries = 100_000
)

// Fault is what is wrong with one field of a schedule, and what to write.
type Fault struct {
	Field string // as in the pipeline file: schedule, every, timezone, …
	Text  string
}

// Schedule is a schedule that was understood. It is immutable.
type Schedule struct {
	loc     *time.Location
	cron    *Cron
	every   int64 // milliseconds
	anchor  time.Time
	dates   []time.Time // ascending
	exclude []exclusion
	start   time.Time // zero: none
	end     time.Time // zero: none
	jitter  time.Duration

	Catchup        Catchup
	Overlap        Overlap
	MaxRuns        int64
	PauseOnFailure bool
}

// Compile reads a schedule. It returns everything that is wrong with it at once.
func Compile(spec plan.Schedule) (*Schedule, []Fault) {
	c := &compiling{s: &Schedule{MaxRuns: spec.MaxRuns, PauseOnFailure: spec.PauseOnFailure, jitter: duration(spec.Jitter)}}
	c.zone(spec)
	c.kind(spec)
	c.bounds(spec)
	c.rules(spec)
	if len(c.faults) == 0 && len(c.s.exclude) > 0 && len(c.s.dates) == 0 {
		if _, ok := c.s.next(time.Unix(1_700_000_000, 0), time.Unix(1_700_000_000, 0).Add(horizon)); !ok {
			c.refuse("exclude", errors.New("everything is excluded: the schedule never fires"))
		}
	}
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	return c.s, nil
}

// compiling is a schedule while it is read.
type compiling struct {
	s      *Schedule
	faults []Fault
}

func (c *compiling) refuse(field string, err error) {
	if err != nil {
		c.faults = append(c.faults, Fault{field, err.Error()})
	}
}

func (c *compiling) zone(spec plan.Schedule) {
	loc, err := Zone(spec.Timezone)
	c.refuse("timezone", err)
	if c.s.loc = loc; loc == nil {
		c.s.loc = time.UTC // to judge the rest
	}
}

func (c *compiling) kind(spec plan.Schedule) {
	given := 0
	for _, is := range []bool{spec.Cron != "", spec.Every != 0, len(spec.Dates) > 0} {
		if is {
			given++
		}
	}
	if given != 1 {
		c.refuse("schedule", errors.New(`a schedule is one of three: a cron expression ("0 2 * * 1-5"), every: 90s, or dates: [2026-12-24]`))
		return
	}
	var err error
	switch {
	case spec.Cron != "":
		c.s.cron, err = ParseCron(spec.Cron)
		c.refuse("schedule", err)
	case spec.Every != 0:
		if c.s.every = int64(spec.Every); spec.Every < MinEvery {
			c.refuse("every", errors.New("an interval is at least a second long; write 1s or more"))
		}
	default:
		c.readDates(spec.Dates)
	}
	if spec.Anchor != "" {
		if spec.Every == 0 {
			c.refuse("anchor", errors.New("an anchor is where an interval is counted from; it needs `every`"))
		}
		c.s.anchor, err = ParseTime(spec.Anchor, c.s.loc)
		c.refuse("anchor", err)
	}
	if c.s.anchor.IsZero() {
		c.s.anchor = time.Unix(0, 0)
	}
}

func (c *compiling) bounds(spec plan.Schedule) {
	var err error
	if spec.Start != "" {
		c.s.start, err = ParseTime(spec.Start, c.s.loc)
		c.refuse("start", err)
	}
	if spec.End != "" {
		c.s.end, err = ParseTime(spec.End, c.s.loc)
		c.refuse("end", err)
	}
	if !c.s.start.IsZero() && !c.s.end.IsZero() && c.s.end.Before(c.s.start) {
		c.refuse("end", fmt.Errorf("the end lies before the start, %s", spec.Start))
	}
	if len(spec.Exclude) > MaxExclude {
		c.refuse("exclude", fmt.Errorf("%d exclusions are too many; write at most %d, or a cron expression for several", len(spec.Exclude), MaxExclude))
		return
	}
	for _, text := range spec.Exclude {
		x, err := parseExclusion(text, c.s.loc)
		c.refuse("exclude", err)
		c.s.exclude = append(c.s.exclude, x)
	}
}

func (c *compiling) rules(spec plan.Schedule) {
	var err error
	c.s.Catchup, err = ParseCatchup(spec.Catchup)
	c.refuse("catchup", err)
	c.s.Overlap, err = ParseOverlap(spec.Overlap)
	c.refuse("overlap", err)
	switch {
	case spec.Jitter < 0 || spec.Jitter > MaxJitter:
		c.refuse("jitter", errors.New("a jitter is a duration of at most an hour, such as 5m"))
	case spec.Every > 0 && spec.Jitter > spec.Every:
		c.refuse("jitter", errors.New("the jitter is longer than the interval; write a shorter one"))
	}
	if spec.MaxRuns < 0 {
		c.refuse("max_runs", errors.New("max_runs is a number of runs, such as 10"))
	}
}

func duration(ms plan.Millis) time.Duration { return time.Duration(ms) * time.Millisecond }

// Location is the time zone that the schedule is written in.
func (s *Schedule) Location() *time.Location { return s.loc }

// zoneless are the spellings of a time that the schedule's zone completes.
var zoneless = []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05"}

// ParseTime reads a date, which is its first instant, a time of the given zone,
// or one with an offset.
func ParseTime(text string, loc *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return inRange(t, text)
	}
	for _, layout := range zoneless {
		if wall, err := time.Parse(layout, text); err == nil {
			return inRange(instantOf(wall, loc), text)
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write 2026-12-24, 2026-12-24T09:30 or 2026-12-24T09:30:00+01:00", clip(strings.TrimSpace(text)))
}

// inRange keeps times where sums with durations cannot overflow.
func inRange(t time.Time, text string) (time.Time, error) {
	if t.Year() < 1970 || t.Year() > 2200 {
		return time.Time{}, fmt.Errorf("%q is not between 1970 and 2200", clip(text))
	}
	return t.Truncate(time.Millisecond), nil
}
