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
	Priority int32   // higher first
	Lane     id.UUID // whose share it counts against, within its pool and priority
	// Seconds is how long it is expected to run: with its slots, what the lane
	// is charged. Only lanes that compete need it.
	Seconds float64
	Since   time.Time // older first
	// Run and Task break ties, so that the choice is reproducible.
	Run  id.UUID
	Task int32

	Need Amount
	Gang Gang
	// Uses are the limits that it takes units of, each named once.
	Uses []Use
	// Possible says that agents of the pool could run it if they had nothing
	// else to do: only then is room kept free for it.
	Possible bool
	// Prefer names the agent whose report made this task ready: its caches are
	// warm. Avoid names one that should not get it; until AvoidUntil it must
	// not, after that it may if no other can. Avoid wins over Prefer.
	Prefer     id.UUID
	Avoid      id.UUID
	AvoidUntil time.Time
}

// decides reports whether the candidate is a mere decision: it takes no slot.
func (c *Candidate) decides() bool { return c.Need.Slots <= 0 }

// older is the order in which candidates of one lane choose.
func older(x, y *Candidate) int {
	return cmp.Or(
		x.Since.Compare(y.Since),
		bytes.Compare(x.Run[:], y.Run[:]),
		cmp.Compare(x.Task, y.Task),
	)
}

// Gang asks for several leases at once, or none. The zero Gang is one lease.
type Gang struct {
	Size int32
	// Min is what is enough once the gang has waited for its pool's
	// ReserveAfter; 0 means Size.
	Min int32
	// Apart says that no two members may be on one agent.
	Apart bool
}

// size is how many leases make the gang whole, least how many will do later.
func (g Gang) size() int32 { return max(1, g.Size) }

func (g Gang) least() int32 {
	if g.Min <= 0 {
		return g.size()
	}
	return min(g.Min, g.size())
}

// Use is a number of units of a limit, by its index in the Scene.
type Use struct {
	Limit int
	Units int32
}

// Limit is a named semaphore, a rate, or both. The zero Limit lets everything
// pass.
type Limit struct {
	// Capped limits have Left units of Max to give.
	Capped    bool
	Max, Left int64
	// Rated limits have Tokens, of at most Burst. What asks for more units than
	// Burst may pass when the bucket is full, and leaves a debt.
	Rated         bool
	Tokens, Burst float64
}

// Taker is an agent that waits for work.
type Taker struct {
	Agent id.UUID
	Pool  id.UUID
	// Free is for what takes slots: without a free slot it gets none of it.
	Free Amount
	// Decisions is how many leases without slots it takes, however busy it is.
	Decisions int
	// Satisfies reports whether it could ever run a task of the class.
	Satisfies func(class int64) bool
}

// Pool is what limits a pool.
type Pool struct {
	Paused bool
	// Limited pools have SlotsLeft slots to give, of Slots.
	Limited   bool
	Slots     int64
	SlotsLeft int64
	// ReserveAfter is how long a task that does not fit waits until room is
	// kept free for it; zero: for ever.
	ReserveAfter time.Duration
}

// LaneKey names a lane: those of one pool and priority share it by their
// weights.
type LaneKey struct {
	Pool     id.UUID
	Priority int32
	Lane     id.UUID
}

// Lane is where a lane stands. One that is not given has weight 1 and stands at
// the clock of its pool and priority.
type Lane struct {
	VTime  float64
	Weight float64 // 0 means 1
}

// Assignment pairs a candidate with an agent that gets it, by index. A gang has
// one for each member.
type Assignment struct {
	Candidate int
	Taker     int
	Rank      int32
	// Charge is what the lane was charged for this lease.
	Charge float64
}

// Why says why a candidate got nobody.
type Why uint8

// The reasons, in the order in which they are looked for.
const (
	Taken Why = iota
	WhyPaused
	WhyLimit
	WhyPoolFull
	WhyReserved
	WhyNobody
)
