package choose

import (
	"bytes"
	"cmp"
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

// fits reports whether the need a can be taken out of free. An agent that has told no
// CPU or memory still runs what asks for none.
func (a Amount) fits(free Amount) bool {
	return a.Slots <= free.Slots && a.CPUMillis <= free.CPUMillis &&
		a.MemoryBytes <= free.MemoryBytes && a.GPUs <= free.GPUs
}

// less is what is left of a capacity after a need was taken out of it.
func (a Amount) less(need Amount) Amount {
	return Amount{
		Slots: a.Slots - need.Slots, CPUMillis: a.CPUMillis - need.CPUMillis,
		MemoryBytes: a.MemoryBytes - need.MemoryBytes, GPUs: a.GPUs - need.GPUs,
	}
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
	// not, after that it may if no other can. Avoid wins over Prefer.
	Prefer     id.UUID
	Avoid      id.UUID
	AvoidUntil time.Time
}

// before is the order in which candidates choose.
func before(x, y *Candidate) int {
	return cmp.Or(
		cmp.Compare(y.Priority, x.Priority),
		cmp.Compare(x.VTime, y.VTime),
		x.Since.Compare(y.Since),
		bytes.Compare(x.Run[:], y.Run[:]),
		cmp.Compare(x.Task, y.Task),
	)
}

// Taker is an agent that waits for work. One without a free slot gets none.
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

// admits reports whether the pool has room for a need. What takes no slot is
// never held up by a full pool.
func (p *Pool) admits(need Amount) bool {
	return !p.Paused && (!p.Limited || need.Slots <= 0 || int64(need.Slots) <= p.SlotsLeft)
}

// Assignment pairs a candidate with the agent that gets it, by index.
type Assignment struct {
	Candidate int
	Taker     int
}
