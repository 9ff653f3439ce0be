// Package explain says why a task does not run: one sentence with numbers, the
// first reason of a fixed order (interfaces.md §1.2, model.md §7).
//
// It is a pure function of a snapshot, which controlplane/dispatch/waitdb reads.
// It decides nothing: what it says of a task is what controlplane/dispatch/choose
// would find, told to a person.
package explain

import (
	"fmt"
	"strings"
	"time"
)

// Reason names the kind of an explanation, for machines.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	ReasonEnded     Reason = "ended"
	ReasonRunning   Reason = "running"
	ReasonRun       Reason = "run_not_running"
	ReasonUpstream  Reason = "upstream"
	ReasonHeld      Reason = "held"
	ReasonBackoff   Reason = "backoff"
	ReasonFrozen    Reason = "organization_frozen"
	ReasonUnpaid    Reason = "organization_suspended"
	ReasonPaused    Reason = "pool_paused"
	ReasonLimit     Reason = "limit"
	ReasonNoAgent   Reason = "no_agent_online"
	ReasonNoMatch   Reason = "no_agent_matches"
	ReasonPoolFull  Reason = "pool_full"
	ReasonGang      Reason = "gang"
	ReasonReserved  Reason = "reserved"
	ReasonQueued    Reason = "queued"
	ReasonUndecided Reason = "undecided"
)

// Explanation is why a task does not run.
type Explanation struct {
	Reason Reason
	Text   string // one sentence without a full stop
	Hint   string // what to do about it, if there is something
}

// Task is a task as its run shows it.
type Task struct {
	RunState  string
	RunReason string
	State     string
	Reason    string    // of its latest end
	Agent     string    // that runs it
	RetryAt   time.Time // in backoff
	// Waiting are the upstream tasks that have not ended, with their states; Needs
	// is how many there are in all.
	Waiting []string
	Needs   int
	Hold    Hold   // of a held task
	Exit    string // of an exit handler: on which outcome it runs
}

// Explain finds the first reason. wait is nil for a task that does not stand in
// a queue.
func Explain(now time.Time, t Task, wait *Wait) Explanation {
	switch t.State {
	case "pending", "ready", "backoff", "held", "expanding":
	case "running":
		return Explanation{ReasonRunning, "it runs" + on(t.Agent), ""}
	default:
		return Explanation{ReasonEnded, ended(t), ""}
	}
	switch {
	case t.RunState == "paused" && t.State == "held": // a pause keeps no signal and no vote out
		return Explanation{ReasonHeld, join(t.Hold.text(now), t.Reason), ""}
	case t.RunState != "running" && t.RunState != "finalizing":
		return Explanation{ReasonRun, join("the run is "+t.RunState, t.RunReason), ""}
	case t.State == "pending" && len(t.Waiting) > 0:
		return Explanation{ReasonUpstream, upstream(t), ""}
	case t.State == "pending" && t.Exit != "" && t.RunState == "running":
		return Explanation{ReasonUpstream, atTheEnd(t.Exit), ""}
	case t.State == "held":
		return Explanation{ReasonHeld, join(t.Hold.text(now), t.Reason), ""}
	case t.State == "expanding":
		return Explanation{ReasonUpstream, "it is done when the tasks that it was expanded into are", ""}
	case t.State == "backoff":
		text := fmt.Sprintf("the next try is at %s, in %s", clock(now, t.RetryAt), span(t.RetryAt.Sub(now)))
		return Explanation{ReasonBackoff, join(text, t.Reason), ""}
	case wait == nil:
		return Explanation{ReasonUndecided, "it is being decided; ask again", ""}
	}
	return wait.explain(now)
}

func ended(t Task) string { return join("it has ended: "+t.State, t.Reason) }

func on(agent string) string {
	if agent == "" {
		return ""
	}
	return " on " + agent
}

// join adds what somebody else said.
func join(text, more string) string {
	if more == "" {
		return text
	}
	return text + ": " + more
}

func upstream(t Task) string {
	const most = 3
	shown := t.Waiting[:min(len(t.Waiting), most)]
	text := "it waits for " + strings.Join(shown, ", ")
	if more := len(t.Waiting) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + fmt.Sprintf(" (%d of %d upstream tasks have ended)", t.Needs-len(t.Waiting), t.Needs)
}

// atTheEnd is what an exit handler waits for.
func atTheEnd(outcome string) string {
	text := "it runs when all other tasks have ended"
	switch outcome {
	case "succeeded":
		return text + ", if the run succeeds"
	case "failed":
		return text + ", if the run fails"
	case "canceled":
		return text + ", if the run is canceled"
	}
	return text
}

// clock is the time of day of a moment, with the day where it is not today.
func clock(now, t time.Time) string {
	now, t = now.UTC(), t.UTC()
	if now.Format(time.DateOnly) == t.Format(time.DateOnly) {
		return t.Format("15:04:05 UTC")
	}
	return t.Format("2006-01-02 15:04:05 UTC")
}

// span is a duration as people say it, whole seconds.
func span(d time.Duration) string {
	if d < time.Second {
		return "less than a second"
	}
	return d.Truncate(time.Second).String()
}

func plural(n int64, what string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
