package choose

// barred says what bars a candidate whoever could take it.
func (x *chooser) barred(c *Candidate, pool *room, aged bool) Why {
	switch {
	case pool == nil:
		return WhyNobody
	case pool.Paused:
		return WhyPaused
	}
	if !x.admitted(c, aged) {
		return WhyLimit
	}
	if c.decides() || !pool.Limited && !pool.held {
		return Taken
	}
	if pool.held {
		return WhyReserved
	}
	// A gang that may be smaller is tried with what there is.
	least := int64(c.Need.Slots) * int64(c.Gang.size())
	if aged {
		least = int64(c.Need.Slots) * int64(c.Gang.least())
	}
	if least <= pool.SlotsLeft {
		return Taken
	}
	if aged && least <= pool.Slots {
		pool.held = true
	}
	return WhyPoolFull
}

// admitted reports whether the limits let the candidate pass. One that has
// waited long for more units than are left keeps them for itself: those who
// want fewer would take them for ever.
func (x *chooser) admitted(c *Candidate, aged bool) bool {
	for _, u := range c.Uses {
		l := &x.limits[u.Limit]
		short := l.Capped && int64(u.Units) > l.Left
		dry := l.Rated && l.Tokens < min(float64(u.Units), l.Burst)
		if !l.held && !short && !dry {
			continue
		}
		if aged && (!l.Capped || int64(u.Units) <= l.Max) {
			l.held = true
		}
		return false
	}
	return true
}

// missed says why nobody took a candidate. For one that has waited long, room
// is kept free from here on: whoever could run it gets nothing of the same or
// of a lower priority, until it fits. An agent that never could is not held up
// by it.
func (x *chooser) missed(c *Candidate, aged bool) Why {
	why := WhyNobody
	for _, t := range x.line(c).takers {
		if c.decides() {
			break
		}
		if x.held[t] {
			why = WhyReserved
		}
		x.held[t] = x.held[t] || aged
	}
	return why
}
