package schedule

import "time"

// next is the first instant after the given one at which the expression fires,
// no later than until.
func (c *Cron) next(after, until time.Time, loc *time.Location) (time.Time, bool) {
	after = after.In(loc)
	if c.elapsed {
		return c.nextElapsed(after, until)
	}
	// A day more: a wall time may lie before its instant.
	last := wallOf(until.In(loc)).Add(25 * time.Hour)
	wall := wallOf(after.Truncate(time.Second))
	for {
		found, ok := c.nextWall(wall.Add(time.Second), last)
		if !ok {
			return time.Time{}, false
		}
		// In the second pass of an hour all its wall times have fired already.
		if t := instantOf(found, loc); t.After(after) {
			return t, !t.After(until)
		}
		wall = found
	}
}

// nextElapsed looks for the next instant whose wall time fits, stretch by
// stretch of a constant offset.
func (c *Cron) nextElapsed(after, until time.Time) (time.Time, bool) {
	t := after.Truncate(time.Second).Add(time.Second)
	for !t.After(until) {
		_, end := t.ZoneBounds()
		if !end.IsZero() && !end.After(t) {
			end = t.Add(time.Hour) // at the end of a leap year time.Time errs
		}
		wall := wallOf(t)
		found, ok := c.nextWall(wall, wall.Add(until.Sub(t)))
		if !ok && end.IsZero() {
			return time.Time{}, false
		}
		if candidate := t.Add(found.Sub(wall)); ok && (end.IsZero() || candidate.Before(end)) {
			return candidate, !candidate.After(until)
		}
		t = end.In(t.Location())
	}
	return time.Time{}, false
}

// Next is the first nominal time after the given instant. It reports false where
// there is none any more, or none within 45 years.
func (s *Schedule) Next(after time.Time) (time.Time, bool) {
	if !s.start.IsZero() && after.Before(s.start) {
		after = s.start.Add(-time.Nanosecond)
	}
	until := after.Add(horizon)
	if !s.end.IsZero() && until.After(s.end) {
		until = s.end
	}
	return s.next(after, until)
}

// NextN lists the next nominal times, at most n.
func (s *Schedule) NextN(after time.Time, n int) []time.Time {
	var out []time.Time
	for len(out) < n {
		t, ok := s.Next(after)
		if !ok {
			break
		}
		out, after = append(out, t), t
	}
	return out
}

// next is Next within (after, until], whatever the schedule's own bounds.
func (s *Schedule) next(after, until time.Time) (time.Time, bool) {
	for range maxTries {
		t, ok := s.raw(after, until)
		if !ok {
			return time.Time{}, false
		}
		resume, excluded := s.excluded(t)
		if !excluded {
			return t.In(s.loc), true
		}
		after = resume
	}
	return time.Time{}, false
}

// raw is next without exclusions.
func (s *Schedule) raw(after, until time.Time) (time.Time, bool) {
	switch {
	case s.cron != nil:
		return s.cron.next(after, until, s.loc)
	case s.every > 0:
		passed := after.UnixMilli() - s.anchor.UnixMilli()
		k := passed / s.every
		if passed < 0 && passed%s.every != 0 {
			k-- // rounds down
		}
		t := time.UnixMilli(s.anchor.UnixMilli() + (k+1)*s.every)
		return t, !t.After(until)
	}
	for _, t := range s.dates {
		if t.After(after) {
			return t, !t.After(until)
		}
	}
	return time.Time{}, false
}

// Previous is the last nominal time before the given instant; false where there
// is none, or none within 45 years.
func (s *Schedule) Previous(before time.Time) (time.Time, bool) {
	t, ok := s.previous(before)
	if !ok || !s.start.IsZero() && t.Before(s.start) {
		return time.Time{}, false
	}
	if !s.end.IsZero() && t.After(s.end) {
		return s.previous(s.end.Add(time.Nanosecond))
	}
	return t, true
}

// previous is Previous whatever the schedule's own bounds. It looks back twice as
// far each time and, where there is something, for the last of it by halves.
func (s *Schedule) previous(before time.Time) (time.Time, bool) {
	last := before.Add(-time.Nanosecond)
	for span := 2 * time.Second; span < 2*horizon; span *= 2 {
		low, ok := s.next(last.Add(-span), last)
		if !ok {
			continue
		}
		high := before // no fire from here on to before
		for high.Sub(low) > time.Millisecond {
			middle := low.Add(high.Sub(low) / 2)
			if t, ok := s.next(middle.Add(-time.Nanosecond), high.Add(-time.Nanosecond)); ok {
				if t.Equal(low) {
					break
				}
				low = t
			} else {
				high = middle
			}
		}
		return low, true
	}
	return time.Time{}, false
}

// Interval is the stretch of time that a fire is about: from the fire before,
// whether or not the schedule had started then, up to the fire itself.
func (s *Schedule) Interval(nominal time.Time) (start, end time.Time) {
	start, ok := s.previous(nominal)
	if !ok {
		start = nominal
	}
	return start, nominal
}
