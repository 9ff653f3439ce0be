package engine

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Signal is a message from outside. It is kept until a task takes it: the one
// that has waited longest, or the first that comes to wait for its name. The
// same name with the same key is one signal, however often it is sent.
//
// Refusals: SignalUnknown, SignalLimit, RunTerminal.
type Signal struct {
	Now   time.Time
	Actor string
	Name  string
	Key   string // empty: every one counts
	// Live holds the run's live leases. Needed only if Graph.StopsOnFailure.
	Live []Lease
}

func (c Signal) now() time.Time { return c.Now }

// MaxSignals is how many signals a run remembers: those that nobody took yet,
// and all that have a key.
const MaxSignals = 1000

// Received is a signal as a run remembers it.
type Received struct {
	Seq   int64 // of its entry, where its payload is
	Name  string
	Key   string
	Taken bool
}

func (x *decider) signal(c *Signal) error {
	s := x.s
	known := func(r Received) bool { return c.Key != "" && r.Key == c.Key && r.Name == c.Name }
	switch {
	case slices.ContainsFunc(s.Signals, known):
		return nil
	case s.Run.Terminal():
		return refuse(RefusedRunTerminal, "the run is "+s.Run.String())
	case !x.g.awaits(c.Name):
		return refuse(RefusedSignalUnknown, "no task of the pipeline waits for a signal "+strconv.Quote(c.Name))
	case len(s.Signals) >= MaxSignals:
		return refuse(RefusedSignalLimit, "the run has received "+strconv.Itoa(MaxSignals)+" signals")
	}
	x.live = leases{given: c.Live, ended: NoTask}
	err := x.emit(Entry{
		Kind: KindSignalReceived, Task: NoTask, Actor: c.Actor, Detail: &Detail{Name: c.Name, Key: c.Key},
	})
	if i := x.waiting(c.Name); err == nil && i != NoTask {
		err = x.deliver(i, s.Seq)
	}
	return err
}

// awaits reports whether any task of the plan waits for a signal of that name.
func (g *Graph) awaits(name string) bool {
	for i := range g.Plan.Tasks {
		if sig := g.Plan.Tasks[i].Signal; sig != nil && sig.Name == name {
			return true
		}
	}
	return false
}

// waiting is the task that has waited longest for a signal, or NoTask.
func (x *decider) waiting(name string) int32 {
	first := NoTask
	for i, h := range x.s.Holds {
		sig := x.g.Task(x.s, i).Signal
		if sig == nil || sig.Name != name {
			continue
		}
		best := x.s.Holds[first]
		if first == NoTask || h.Order < best.Order || (h.Order == best.Order && i < first) {
			first = i
		}
	}
	return first
}

// deliver ends a task by the signal that it takes.
func (x *decider) deliver(i int32, from int64) error {
	return x.unheld(Entry{Task: i, Next: TaskSucceeded, Detail: &Detail{From: from}})
}

// buffered is the oldest signal of that name which nobody took, or zero.
func (s *State) buffered(name string) int64 {
	for _, r := range s.Signals {
		if r.Name == name && !r.Taken {
			return r.Seq
		}
	}
	return 0
}

// take marks a signal as taken; it is remembered for its key only.
func (s *State) take(seq int64) error {
	i := slices.IndexFunc(s.Signals, func(r Received) bool { return r.Seq == seq && !r.Taken })
	if i < 0 {
		return fmt.Errorf("signal %d is not there", seq)
	}
	all := slices.Clone(s.Signals)
	if all[i].Taken = true; all[i].Key == "" {
		all = slices.Delete(all, i, i+1)
	}
	if s.Signals = all; len(all) == 0 {
		s.Signals = nil
	}
	return nil
}

func applySignal(s *State, e *Entry) error {
	if e.Detail == nil {
		return fmt.Errorf("signal %d has no name", e.Seq)
	}
	s.Signals = append(slices.Clone(s.Signals), Received{Seq: e.Seq, Name: e.Detail.Name, Key: e.Detail.Key})
	return nil
}
