package choose

import (
	"cmp"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Scene is all that one call of Choose weighs.
type Scene struct {
	Now        time.Time
	Pools      map[id.UUID]Pool
	Limits     []Limit
	Candidates []Candidate
	Takers     []Taker
	// Lanes are those that have a virtual time, Clocks the virtual time of
	// each pool and priority (their keys' Lane is nil): a lane that slept, or
	// could not be served, starts there. Both may be nil.
	Lanes  map[LaneKey]Lane
	Clocks map[LaneKey]float64
}

// Result is what Choose decided.
type Result struct {
	Assignments []Assignment
	// Why is by candidate.
	Why []Why
	// Lanes is where the lanes that were charged stood at their first lease,
	// Clocks where the last lease began: neither ever goes back.
	Lanes  map[LaneKey]float64
	Clocks map[LaneKey]float64
}

// Choose assigns candidates to takers: nothing of a paused or unknown pool, and
// nothing beyond a limit; the highest priority first, then of each pool the lane
// with the smallest virtual time, then the oldest; each to the first agent in
// the order given that can run it and has room, the preferred one before all
// others and the avoided one after.
//
// It costs the sorting of the candidates plus, for each distinct need, one pass
// over the takers: capacity only shrinks within a call, so a taker that had no
// room for a need is not asked for it again. A gang costs a pass of its own.
func Choose(s Scene) Result {
	x := newChooser(s)
	order := inOrder(s.Candidates)
	for len(order) > 0 {
		n := 1
		for n < len(order) && s.Candidates[order[n]].Priority == s.Candidates[order[0]].Priority {
			n++
		}
		x.level(order[:n])
		order = order[n:]
	}
	return x.out
}

// inOrder sorts by priority, then age.
func inOrder(candidates []Candidate) []int {
	order := make([]int, len(candidates))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		x, y := &candidates[i], &candidates[j]
		return cmp.Or(cmp.Compare(y.Priority, x.Priority), older(x, y))
	})
	return order
}

// chooser is one call of Choose: what is left of everything.
type chooser struct {
	Scene

	free      []Amount // by taker
	decisions []int
	held      []bool            // room on it is kept for somebody
	byAgent   map[id.UUID][]int // an agent's poll and report can be in one batch
	pools     map[id.UUID]*room // those that somebody waits for
	limits    []limitLeft
	lines     map[need]*line
	out       Result
}

// room is what is left of a pool.
type room struct {
	Pool

	held bool // its slots are kept for somebody
}

type limitLeft struct {
	Limit

	held bool // its units are kept for somebody
}

// need is what candidates may have in common: those that share it can be taken
// by the same takers.
type need struct {
	pool   id.UUID
	class  int64
	amount Amount
}

// line holds the takers that could run a need, in the order given. Those before
// next have no room for it any more.
type line struct {
	takers []int
	next   int
}

func newChooser(s Scene) *chooser {
	x := &chooser{
		Scene: s, free: make([]Amount, len(s.Takers)), decisions: make([]int, len(s.Takers)), held: make([]bool, len(s.Takers)),
		byAgent: make(map[id.UUID][]int, len(s.Takers)),
		pools:   make(map[id.UUID]*room, len(s.Pools)), limits: make([]limitLeft, len(s.Limits)), lines: map[need]*line{},
		out: Result{Why: make([]Why, len(s.Candidates)), Lanes: map[LaneKey]float64{}, Clocks: map[LaneKey]float64{}},
	}
	for i := range s.Takers {
		t := &s.Takers[i]
		x.free[i], x.decisions[i] = t.Free, t.Decisions
		x.byAgent[t.Agent] = append(x.byAgent[t.Agent], i)
		if p, ok := s.Pools[t.Pool]; ok && x.pools[t.Pool] == nil {
			x.pools[t.Pool] = &room{Pool: p}
		}
	}
	for i := range s.Limits {
		x.limits[i].Limit = s.Limits[i]
	}
	return x
}

// serve gives a candidate its takers, if it can have them, and says how many it
// got.
func (x *chooser) serve(i int) int {
	c := &x.Candidates[i]
	pool := x.pools[c.Pool]
	aged := pool != nil && c.Possible && pool.ReserveAfter > 0 && x.Now.Sub(c.Since) >= pool.ReserveAfter
	switch why := x.barred(c, pool, aged); {
	case why != Taken:
		x.out.Why[i] = why
		return 0
	case c.Gang.size() > 1:
		return x.assemble(i, pool, aged)
	}
	t := x.pick(c)
	if t < 0 {
		x.out.Why[i] = x.missed(c, aged)
		return 0
	}
	x.give(i, []int{t}, pool)
	return 1
}

// give takes what the candidate's leases need out of everything.
func (x *chooser) give(i int, takers []int, pool *room) {
	c := &x.Candidates[i]
	for rank, t := range takers {
		if c.decides() {
			x.decisions[t]--
		}
		x.free[t] = x.free[t].less(c.Need)
		pool.SlotsLeft -= int64(c.Need.Slots)
		x.out.Assignments = append(x.out.Assignments, Assignment{Candidate: i, Taker: t, Rank: int32(rank)})
	}
	for _, u := range c.Uses {
		l := &x.limits[u.Limit]
		l.Left -= int64(u.Units)
		l.Tokens -= float64(u.Units)
	}
}

// pick returns the taker for a candidate, or -1.
func (x *chooser) pick(c *Candidate) int {
	l := x.line(c)
	for l.next < len(l.takers) && !x.room(l.takers[l.next], c) {
		l.next++
	}
	if c.Prefer != id.Nil && c.Prefer != c.Avoid {
		for _, t := range x.byAgent[c.Prefer] {
			if _, stands := slices.BinarySearch(l.takers, t); stands && x.room(t, c) {
				return t
			}
		}
	}
	return x.first(c, l.takers[l.next:])
}

// first returns the first taker with room, the avoided agent last.
func (x *chooser) first(c *Candidate, rest []int) int {
	avoided := -1
	for _, t := range rest {
		switch {
		case !x.room(t, c):
		case c.Avoid == id.Nil || x.Takers[t].Agent != c.Avoid:
			return t
		case avoided < 0 && !x.Now.Before(c.AvoidUntil):
			avoided = t
		}
	}
	return avoided
}

func (x *chooser) room(taker int, c *Candidate) bool {
	if c.decides() {
		return x.decisions[taker] > 0 && c.Need.fits(x.free[taker])
	}
	return !x.held[taker] && c.Need.fits(x.free[taker])
}

// line finds the candidate's line, or forms it.
func (x *chooser) line(c *Candidate) *line {
	key := need{pool: c.Pool, class: c.Class, amount: c.Need}
	if l := x.lines[key]; l != nil {
		return l
	}
	l := &line{}
	for i := range x.Takers {
		t := &x.Takers[i]
		offers := t.Free.Slots > 0
		if c.decides() {
			offers = t.Decisions > 0
		}
		if t.Pool == c.Pool && offers && t.Satisfies(c.Class) {
			l.takers = append(l.takers, i)
		}
	}
	x.lines[key] = l
	return l
}
