package choose

import (
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Choose assigns candidates to takers: nothing of a paused or unknown pool;
// the highest priority first, then the smallest virtual time, then the oldest;
// each to the first agent in the order given that can run it and has room,
// the preferred one before all others and the avoided one after.
//
// It costs the sorting of the candidates plus, for each distinct need, one pass
// over the takers: capacity only shrinks within a call, so a taker that had no
// room for a need is not asked for it again.
func Choose(now time.Time, pools map[id.UUID]Pool, candidates []Candidate, takers []Taker) []Assignment {
	if len(candidates) == 0 || len(takers) == 0 {
		return nil
	}
	x := newChooser(now, pools, takers)
	var out []Assignment
	for _, i := range inOrder(candidates) {
		c := &candidates[i]
		pool := x.pools[c.Pool]
		if pool == nil || !pool.admits(c.Need) {
			continue
		}
		t := x.pick(c)
		if t < 0 {
			continue
		}
		x.free[t] = x.free[t].less(c.Need)
		pool.SlotsLeft -= int64(c.Need.Slots)
		out = append(out, Assignment{Candidate: i, Taker: t})
	}
	return out
}

func inOrder(candidates []Candidate) []int {
	order := make([]int, len(candidates))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return before(&candidates[x], &candidates[y]) })
	return order
}

// chooser is one call of Choose: what is left of everything.
type chooser struct {
	now     time.Time
	takers  []Taker
	free    []Amount
	byAgent map[id.UUID][]int // an agent's poll and report can be in one batch
	pools   map[id.UUID]*Pool // those that somebody waits for
	lines   map[need]*line
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

func newChooser(now time.Time, pools map[id.UUID]Pool, takers []Taker) *chooser {
	x := &chooser{
		now: now, takers: takers, free: make([]Amount, len(takers)),
		byAgent: make(map[id.UUID][]int, len(takers)),
		pools:   make(map[id.UUID]*Pool, len(pools)), lines: map[need]*line{},
	}
	for i := range takers {
		x.free[i] = takers[i].Free
		x.byAgent[takers[i].Agent] = append(x.byAgent[takers[i].Agent], i)
		if p, ok := pools[takers[i].Pool]; ok && x.pools[takers[i].Pool] == nil {
			x.pools[takers[i].Pool] = &p
		}
	}
	return x
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
		case c.Avoid == id.Nil || x.takers[t].Agent != c.Avoid:
			return t
		case avoided < 0 && !x.now.Before(c.AvoidUntil):
			avoided = t
		}
	}
	return avoided
}

func (x *chooser) room(taker int, c *Candidate) bool { return c.Need.fits(x.free[taker]) }

// line finds the candidate's line, or forms it.
func (x *chooser) line(c *Candidate) *line {
	key := need{pool: c.Pool, class: c.Class, amount: c.Need}
	if l := x.lines[key]; l != nil {
		return l
	}
	l := &line{}
	for i := range x.takers {
		t := &x.takers[i]
		if t.Pool == c.Pool && t.Free.Slots > 0 && t.Satisfies(c.Class) {
			l.takers = append(l.takers, i)
		}
	}
	x.lines[key] = l
	return l
}
