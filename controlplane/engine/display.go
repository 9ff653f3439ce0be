package engine

import "time"

// The words for an open task, which no entry knows: they come from ready, lease
// and timer.
const (
	DisplayReady   = "ready"
	DisplayRunning = "running"
	DisplayBackoff = "backoff"
)

// Display is a task's state as people see it. leased says whether its open
// attempt has a live lease.
func (t *Task) Display(leased bool, now time.Time) string {
	switch {
	case t.State != TaskOpen:
		return t.State.String()
	case leased:
		return DisplayRunning
	case now.Before(t.ReadyAt.Time()):
		return DisplayBackoff
	}
	return DisplayReady
}
