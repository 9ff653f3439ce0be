package choose

import "github.com/signalboxhq/signalbox/proto/id"

// assemble gives a gang all of its leases, or none.
func (x *chooser) assemble(i int, pool *room, aged bool) int {
	c := &x.Candidates[i]
	members := x.members(c, x.most(c, pool))
	enough := c.Gang.size()
	if aged {
		enough = c.Gang.least()
	}
	if int32(len(members)) < enough {
		x.out.Why[i] = x.missed(c, aged)
		return 0
	}
	x.give(i, members, pool)
	return len(members)
}

// most is how many members the pool has room for.
func (x *chooser) most(c *Candidate, pool *room) int32 {
	if !pool.Limited || c.decides() {
		return c.Gang.size()
	}
	return int32(min(int64(c.Gang.size()), max(0, pool.SlotsLeft)/int64(c.Need.Slots)))
}

// members finds takers for at most so many members, in the order given, the
// avoided agent last.
func (x *chooser) members(c *Candidate, most int32) []int {
	var out []int
	used := map[id.UUID]bool{}
	add := func(t int) {
		agent := x.Takers[t].Agent
		left := x.free[t]
		for n := 0; int32(len(out)) < most && (!c.Gang.Apart || !used[agent]) && c.Need.fits(left); n++ {
			if c.decides() && n >= x.decisions[t] {
				return
			}
			left = left.less(c.Need)
			used[agent] = true
			out = append(out, t)
		}
	}
	var avoided []int
	for _, t := range x.line(c).takers {
		switch {
		case !x.room(t, c):
		case c.Avoid == id.Nil || x.Takers[t].Agent != c.Avoid:
			add(t)
		case !x.Now.Before(c.AvoidUntil):
			avoided = append(avoided, t)
		}
	}
	for _, t := range avoided {
		add(t)
	}
	return out
}
