// Package choose decides which agent gets which task: one pure function over
// the tasks that compete and the agents that wait (model.md §7).
//
// It owns the order (priority, fairness, age), the fitting of needs into free
// capacity, and the limits of pools. It must do no I/O and read no clock.
package choose

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Amount is capacity: what a task needs, or what an agent has free.
type Amount struct {
	Slots       int32
	CPUMillis   int64
	MemoryBytes int64
	GPUs        int32
}

// fits reports whether need can be taken out of free. An agent that has told no
// CPU or memory still runs what asks for none.
func (need Amount) fits(free Amount) bool {
	return need.Slots <= free.Slots && need.CPUMillis <= free.CPUMillis &&
		need.MemoryBytes <= free.MemoryBytes && need.GPUs <= free.GPUs
}

func (free *Amount) take(need Amount) {
	free.Slots -= need.Slots
	free.CPUMillis -= need.CPUMillis
	free.MemoryBytes -= need.MemoryBytes
	free.GPUs -= need.GPUs
}

// Candidate is an attempt that may be leased.
type Candidate struct {
	Pool     id.UUID
	Class    int64
	Priority int32 // higher first
	// VTime is the lane's virtual time: smaller first. Equal where fairness is
	// not in force.
	VTime float64
	Since time.Time // older first
	// Run and Task break ties, so that the choice is reproducible.
	Run  id.UUID
	Task int32

	Need Amount
	// Prefer names the agent whose report made this task ready: its caches are
	// warm. Avoid names one that should not get it; until AvoidUntil it must
	// not, after that it may if no other can.
	Prefer     id.UUID
	Avoid      id.UUID
	AvoidUntil time.Time
}

// Taker is an agent that waits for work.
type Taker struct {
	Agent id.UUID
	Pool  id.UUID
	Free  Amount
	// Satisfies reports whether it could ever run a task of the class.
	Satisfies func(class int64) bool
}

// Pool is what limits a pool.
type Pool struct {
	Paused bool
	// Limited pools have SlotsLeft slots to give.
	Limited   bool
	SlotsLeft int64
}

// Assignment pairs a candidate with the agent that gets it, by index.
type Assignment struct {
	Candidate int
	Taker     int
}

// Choose assigns candidates to takers: nothing of a paused or unknown pool;
// the highest priority first, then the smallest virtual time, then the oldest;
// each to the first agent in the order given that can run it and has room,
// the preferred one before all others and the avoided one after. A candidate
// that nobody can take does not hold up those behind it.
func Choose(now time.Time, pools map[id.UUID]Pool, candidates []Candidate, takers []Taker) []Assignment {
	order := make([]int, len(candidates))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return before(&candidates[x], &candidates[y]) })

	left := map[id.UUID]int64{}
	waiting := map[id.UUID][]int{}
	free := make([]Amount, len(takers))
	for i := range takers {
		free[i] = takers[i].Free
		p, ok := pools[takers[i].Pool]
		if ok && !p.Paused && free[i].Slots > 0 {
			waiting[takers[i].Pool] = append(waiting[takers[i].Pool], i)
			left[takers[i].Pool] = p.SlotsLeft
		}
	}
	var out []Assignment
	for _, i := range order {
		c := &candidates[i]
		if pools[c.Pool].Limited && left[c.Pool] < int64(c.Need.Slots) {
			continue
		}
		t := pick(now, c, takers, waiting[c.Pool], free)
		if t < 0 {
			continue
		}
		free[t].take(c.Need)
		left[c.Pool] -= int64(c.Need.Slots)
		if free[t].Slots == 0 {
			// Full agents leave the list, so that long queues do not meet them again.
			waiting[c.Pool] = slices.DeleteFunc(waiting[c.Pool], func(x int) bool { return x == t })
		}
		out = append(out, Assignment{Candidate: i, Taker: t})
	}
	return out
}

func before(x, y *Candidate) int {
	return cmp.Or(
		cmp.Compare(y.Priority, x.Priority),
		cmp.Compare(x.VTime, y.VTime),
		x.Since.Compare(y.Since),
		bytes.Compare(x.Run[:], y.Run[:]),
		cmp.Compare(x.Task, y.Task),
	)
}

// pick returns the taker for a candidate, or -1.
func pick(now time.Time, c *Candidate, takers []Taker, waiting []int, free []Amount) int {
	first, avoided := -1, -1
	for _, t := range waiting {
		if !c.Need.fits(free[t]) || !takers[t].Satisfies(c.Class) {
			continue
		}
		switch agent := takers[t].Agent; {
		case agent == c.Avoid && c.Avoid != (id.UUID{}):
			if avoided < 0 && !now.Before(c.AvoidUntil) {
				avoided = t
			}
		case c.Prefer == (id.UUID{}) || agent == c.Prefer:
			return t
		case first < 0:
			first = t
		}
	}
	if first >= 0 {
		return first
	}
	return avoided
}
