package execute

import (
	"fmt"
	"time"
)

// End says what ended an attempt.
type End string

// The ends.
const (
	EndExited     End = "exited"      // the command ended by itself; ExitCode says how
	EndSignaled   End = "signaled"    // a signal that the agent did not send ended it
	EndStopped    End = "stopped"     // Stop was called
	EndRunLimit   End = "run"         // Limits.Run was up
	EndStale      End = "progress"    // Limits.Progress was up
	EndStartLimit End = "start"       // Limits.Start was up
	EndNotStarted End = "not_started" // the command could not be started; Err says why
	EndBroken     End = "broken"      // the executor itself failed; Err says how
)

// Result is how an attempt ended.
type Result struct {
	End      End
	ExitCode int    // of EndExited; else what a shell would show, -1 if unknown
	Signal   string // of EndSignaled, for instance "killed"
	Err      error  // of EndNotStarted and EndBroken

	// Started and Finished carry the monotonic clock, so that their difference
	// is right even if the wall clock was set meanwhile. Both are zero if the
	// command never ran.
	Started, Finished time.Time

	CPU    time.Duration // of the command and the children it waited for
	MaxRSS int64         // bytes, the largest of them
	Left   []int         // processes that not even KILL could end
}

// TimedOut reports whether one of the attempt's own clocks ended it.
func (r *Result) TimedOut() bool {
	return r.End == EndRunLimit || r.End == EndStale || r.End == EndStartLimit
}

// Ran is how long the command ran.
func (r *Result) Ran() time.Duration { return r.Finished.Sub(r.Started) }

// String is the end in words for a person, without the name of the task.
func (r *Result) String() string {
	switch r.End {
	case EndExited:
		return fmt.Sprintf("exit code %d", r.ExitCode)
	case EndSignaled:
		return fmt.Sprintf("ended by signal: %s", r.Signal)
	case EndStopped:
		return "stopped"
	case EndRunLimit:
		return "ran longer than its run limit"
	case EndStale:
		return "showed no progress within its progress limit"
	case EndStartLimit:
		return "did not start within its start limit"
	case EndNotStarted:
		return fmt.Sprintf("cannot be started: %v", r.Err)
	case EndBroken:
		return fmt.Sprintf("the agent lost hold of it: %v", r.Err)
	}
	return string(r.End)
}
