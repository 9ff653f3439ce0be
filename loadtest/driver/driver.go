// Package driver is the seam between a workload and the orchestrator under it.
//
// A workload knows graphs, submits runs and hears of finished steps; whoever
// implements Driver can be put under every scenario. The package holds types
// only. A driver must keep its workers in a process of their own, so that their
// CPU is not counted as the orchestrator's.
package driver

import (
	"context"
	"time"
)

// Graph is the shape of a workflow whose steps do nothing.
type Graph struct {
	Name  string
	Steps []Step
	// Items makes the only step a map over a list of so many.
	Items int
	// Apart sends the steps to a pool of their own, which has no workers.
	Apart bool
	// SpecBytes is about how large the description of one step is.
	SpecBytes int
	// Leaves is what each step leaves.
	Leaves Leaving
	// Team is whose the work is, where teams share workers.
	Team string
	// Gang has each step done by so many slots at once, or not yet.
	Gang int
}

// Leaving is what a step leaves.
type Leaving int

// A value that the orchestrator may read, one that it cannot, or none.
const (
	OpenValue Leaving = iota
	SealedValue
	NoValue
)

// Attempts is how many steps a run of the graph takes, a map's items being its
// steps, and a gang's members each one.
func (g *Graph) Attempts() int { return max(len(g.Steps), g.Items, g.Gang) }

// Step is one step, by its place in the graph, and what it waits for.
type Step struct {
	Needs []int
}

// Workers are what runs the steps of one tenant.
type Workers struct {
	// Count is how many there are, each with a connection of its own.
	Count int
	// Slots is how many steps one runs at a time.
	Slots int
	// Step is how long a step takes; 0 ends it at once.
	Step time.Duration
	// Spread has steps last up to twice as long, so that none end together.
	Spread bool
	// ResultBytes is the size of the value that each step leaves.
	ResultBytes int
	// ReportBatch is how many ends one report carries at most.
	ReportBatch int
}

// Event is one attempt that is over: its end is committed.
type Event struct {
	Run  string
	Step int
	// Attempt counts from 1.
	Attempt int
	// Leased is when a worker had it in its hands, Reported when it told the
	// end, Acked when it knew that the end was committed; in nanoseconds of
	// this machine's wall clock, which all processes share.
	Leased, Reported, Acked int64
}

// Driver is an orchestrator under test.
type Driver interface {
	// Name is the orchestrator's, for the report.
	Name() string
	// Tenant makes somebody whose work is kept apart from that of others.
	Tenant(ctx context.Context, name string) (Tenant, error)
	// Processes are those whose CPU counts, by what they are.
	Processes() map[string]int
}

// Shaper is a Driver that can fill its database as years would have.
type Shaper interface {
	// Queue copies a run of t that waits, and Finish one that is done, until
	// there are so many runs like it. Crowd makes so many other tenants.
	Queue(ctx context.Context, run string, copies int) error
	Finish(ctx context.Context, run string, copies int) error
	Crowd(ctx context.Context, tenants int) error
}

// Judge is a Driver that can say whether its books are right: nothing lost,
// nothing doubled, usage that of the attempts.
type Judge interface {
	Judge(ctx context.Context) (Verdict, error)
}

// Sharing is how work competes for workers.
type Sharing struct {
	// Teams get equal shares.
	Teams bool
	// ReserveAfter is how long a step that does not fit waits until room is kept
	// for it.
	ReserveAfter time.Duration
}

// Verdict is what a Judge found.
type Verdict struct {
	// Runs are all that there are, Open those that are not over, Failed those
	// that ended otherwise than well.
	Runs, Open, Failed int64
	// Submitted is how many runs there should be.
	Submitted int64
	// Doubled counts steps that ended well more than once.
	Doubled int64
	// Attempts are those that ended and count, Billed those in the usage.
	Attempts, Billed int64
	// Complaints is what the orchestrator's own check says.
	Complaints string
}

// Tenant submits work and has it done.
type Tenant interface {
	// Deploy makes a graph known; its runs may then be submitted.
	Deploy(ctx context.Context, g Graph) error
	// Submit starts a run and returns its id. With a key, repeated calls start
	// one run.
	Submit(ctx context.Context, graph, key string) (run string, err error)
	// Share says how the tenant's workers are shared, before there are any.
	Share(ctx context.Context, s Sharing) error
	// Work starts workers and returns when all are connected. Events are told
	// in batches, from one goroutine.
	Work(ctx context.Context, w Workers, told func([]Event)) (Fleet, error)
}

// Counts are what workers tell beside the steps.
type Counts struct {
	// HandedOver are steps that came with the answer to a report, Polled those
	// that were asked for.
	HandedOver, Polled int64
	// IdlePolls brought no step, OrderedPolls of them only orders.
	IdlePolls, OrderedPolls int64
	// Stale counts reports that came too late, Retried calls that failed and
	// were repeated.
	Stale, Retried int64
}

// Plus adds them up.
func (c Counts) Plus(o Counts) Counts {
	return Counts{
		c.HandedOver + o.HandedOver, c.Polled + o.Polled, c.IdlePolls + o.IdlePolls, c.OrderedPolls + o.OrderedPolls,
		c.Stale + o.Stale, c.Retried + o.Retried,
	}
}

// Less takes what was before.
func (c Counts) Less(o Counts) Counts {
	return c.Plus(Counts{-o.HandedOver, -o.Polled, -o.IdlePolls, -o.OrderedPolls, -o.Stale, -o.Retried})
}

// Fleet is the running workers of a tenant.
type Fleet interface {
	// PID is the process they live in.
	PID() int
	// Counts are since the fleet began.
	Counts() Counts
	// Stop ends them.
	Stop() error
}
