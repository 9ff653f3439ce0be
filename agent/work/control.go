package work

import (
	"context"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/step"
)

// why says who ends an attempt before its time.
type why int

const (
	notStopped why = iota
	byOrder        // the control plane: its run is canceled
	byDrain        // this agent ends
	byStale        // the lease is gone: nothing of it counts any more
)

// control is how others reach an attempt while it goes through its stages.
type control struct {
	mu      sync.Mutex
	cancel  context.CancelFunc // ends what comes before the step
	phase   link.Phase
	started time.Time // of the step, with the monotonic clock
	running execute.Attempt
	why     why
	grace   time.Duration
	over    bool // its outcome is in the spool: only the report is left
}

// stop ends the attempt, at whatever stage it is. The first reason stands, but
// for a lease that is gone: then there is nothing to report. A shorter grace
// wins.
func (c *control) stop(reason why, grace time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return // an answer to its report says the rest
	}
	if c.why == notStopped || reason == byStale {
		c.why = reason
		c.grace = grace
	}
	c.grace = min(c.grace, grace)
	if c.running != nil {
		go c.running.Stop(grace) // it waits for the attempt's own goroutine, which may want the lock
		return
	}
	c.cancel()
}

// execute says that the step runs from now on, and passes on a stop that came
// before.
func (c *control) execute(running execute.Attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.phase, c.started = running, link.PhaseRunning, time.Now()
	if c.why != notStopped {
		go running.Stop(c.grace)
	}
}

// stopped is why the attempt must end, or notStopped.
func (c *control) stopped() why {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// setPhase tells how far the attempt is.
func (c *control) setPhase(phase link.Phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase = phase
}

// conclude closes the attempt to orders. It returns false if its lease is gone,
// so that there is nothing to report.
func (c *control) conclude() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == byStale {
		return false
	}
	c.over = true
	return true
}

// held is what a poll says of the attempt.
func (c *control) held(lease int64) link.Held {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := link.Held{Lease: lease, Phase: c.phase}
	if c.phase == link.PhaseRunning {
		h.Running = time.Since(c.started)
	}
	return h
}

// verdict is what a stop means for an attempt whose step has not ended by
// itself.
func (w why) verdict() *step.Verdict {
	switch w {
	case byOrder:
		return &step.Verdict{Outcome: step.OutcomeCanceled, Cause: step.CauseControl, Reason: "stopped on request"}
	case byDrain:
		return &step.Verdict{Outcome: step.OutcomeLost, Cause: step.CauseInfra, Reason: "the agent was shut down"}
	case byStale, notStopped:
	}
	return nil
}
