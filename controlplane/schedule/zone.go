package schedule

import (
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // servers without the database of time zones must agree with those that have one
)

// Zone loads a time zone of the IANA database; empty is UTC.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	if name == "Local" {
		return nil, errors.New(`"Local" is no time zone; write one such as Europe/Berlin`)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is no time zone; write one of the IANA database, such as Europe/Berlin, America/New_York or UTC", clip(name))
	}
	return loc, nil
}

// wallOf is what a clock shows at an instant, held as a time in UTC.
func wallOf(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// instantOf is when a clock of the zone shows a wall time: the first time where
// it does so twice, the first instant after where it never does.
func instantOf(wall time.Time, loc *time.Location) time.Time {
	y, m, d := wall.Date()
	guess := time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), 0, loc)
	start, end := guess.ZoneBounds()
	switch shown := wallOf(guess); {
	case shown.After(wall):
		return start // of what follows the gap
	case shown.Before(wall):
		return end
	}
	if start.IsZero() {
		return guess
	}
	_, before := start.Add(-time.Second).Zone()
	if earlier := wall.Add(-time.Duration(before) * time.Second); earlier.Before(start) {
		return earlier.In(loc)
	}
	return guess
}
