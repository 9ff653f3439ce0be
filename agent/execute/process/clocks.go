package process

import (
	"time"

	"github.com/signalboxhq/signalbox/agent/execute"
)

// hangLimit is how long a guard that has not yet started its step may take to
// obey a kill before it is killed itself.
const hangLimit = 2 * time.Second

// clocks are the timers of an attempt; those without a limit never fire.
type clocks struct {
	start, run, progress, hang *time.Timer
}

func newClocks(limits execute.Limits) *clocks {
	c := &clocks{start: idleTimer(), run: idleTimer(), progress: idleTimer(), hang: idleTimer()}
	arm(c.start, limits.Start)
	return c
}

// started stops the clocks of the start and winds the other two.
func (c *clocks) started(limits execute.Limits) {
	c.start.Stop()
	c.hang.Stop()
	arm(c.run, limits.Run)
	arm(c.progress, limits.Progress)
}

func (c *clocks) stop() {
	c.start.Stop()
	c.run.Stop()
	c.progress.Stop()
	c.hang.Stop()
}

func idleTimer() *time.Timer {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return timer
}

func arm(timer *time.Timer, limit time.Duration) {
	if limit > 0 {
		timer.Reset(limit)
	}
}
