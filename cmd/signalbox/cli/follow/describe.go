package follow

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// Last is the newest attempt of a task, nil where there is none.
func Last(t *runv1.Task) *runv1.Attempt {
	if n := len(t.GetAttempts()); n > 0 {
		return t.GetAttempts()[n-1]
	}
	return nil
}

// StateOfRun is the state of a run for people: one whose steps were stopped is
// suspended, not only paused.
func StateOfRun(r *runv1.Run) string {
	if r.GetState() == "paused" && r.GetReason() == "suspended" {
		return "suspended"
	}
	return r.GetState()
}

// StateOf is the state to show of a task: the attempt's own while one is live,
// since "leased" and "starting" say more than "running".
func StateOf(t *runv1.Task) string {
	if a := Last(t); a != nil && t.GetState() == "running" && a.GetFinishedAt() == nil && a.GetState() != "" {
		return a.GetState()
	}
	if t.GetState() == "expanding" && t.GetItems() != nil {
		return "running"
	}
	return t.GetState()
}

// Elapsed is how long an attempt has run, or how long it ran; ok is false where
// it has not started.
func Elapsed(a *runv1.Attempt, now time.Time) (d time.Duration, ok bool) {
	start := a.GetStartedAt()
	if start == nil {
		start = a.GetGrantedAt()
	}
	if start == nil {
		return 0, false
	}
	return until(start, a.GetFinishedAt(), now), true
}

// Took is how long a task has run, or ran: its last attempt, or from when the first
// of what is part of it began to when the last ended. ok is false where nothing
// has started.
func Took(t *runv1.Task, now time.Time) (d time.Duration, ok bool) {
	if n := t.GetItems(); n.GetFirstStart() != nil {
		return until(n.GetFirstStart(), n.GetLastEnd(), now), true
	}
	if a := Last(t); a != nil {
		return Elapsed(a, now)
	}
	return 0, false
}

func until(start, end *timestamppb.Timestamp, now time.Time) time.Duration {
	if end != nil {
		now = end.AsTime()
	}
	return max(now.Sub(start.AsTime()), 0)
}

// implied are the causes that a state has said already.
var implied = map[string]string{"timed_out": "timeout", "canceled": "control", "preempted": "preempted"}

// Ending says how an attempt ended: "exit 1", "lost (infra)". Empty for one
// that succeeded or lives. shown is the state that stands beside it, which it
// does not repeat.
func Ending(a *runv1.Attempt, shown string) string {
	if a.GetFinishedAt() == nil || a.GetState() == "succeeded" {
		return ""
	}
	var parts []string
	if a.GetReason() != "" {
		parts = append(parts, a.GetReason())
	} else if a.GetExitCode() != 0 {
		parts = append(parts, fmt.Sprintf("exit %d", a.GetExitCode()))
	}
	if a.GetState() != "failed" && a.GetState() != shown {
		parts = append(parts, a.GetState())
	}
	text := strings.Join(parts, ", ")
	if a.GetCause() != "" && a.GetCause() != "user" && a.GetCause() != implied[a.GetState()] {
		text = strings.TrimSpace(text + " (" + a.GetCause() + ")")
	}
	return text
}

// Waiting says what a task that is ready waits for; empty for any other.
func Waiting(t *runv1.Task) string {
	if t.GetState() != "ready" || t.GetPool() == "" {
		return ""
	}
	return "waits for an agent of pool " + t.GetPool()
}

// Child is the run that a task has started; empty for none.
func Child(t *runv1.Task) string {
	c := t.GetChildRun()
	if c == nil {
		return ""
	}
	return fmt.Sprintf("run %s#%d (%s)", c.GetPipeline(), c.GetNumber(), c.GetState())
}

// note is what is worth saying of a task beside its state and time.
func note(t *runv1.Task, now time.Time) string {
	parts := []string{Progress(t)}
	if t.GetOriginRunId() != "" {
		parts = append(parts, "from "+t.GetOriginRunId())
	}
	a := Last(t)
	if child := Child(t); child != "" {
		parts = append(parts, child)
	}
	if a != nil && a.GetNumber() > 1 {
		parts = append(parts, fmt.Sprintf("attempt %d", a.GetNumber()))
	}
	switch t.GetState() {
	case "ready":
		parts = append(parts, Waiting(t))
	case "held":
		parts = append(parts, Holding(t, now))
	case "running":
		if a != nil && a.GetAgentName() != "" {
			parts = append(parts, "on "+a.GetAgentName())
		}
	case "backoff":
		parts = append(parts, Ending(a, t.GetState()))
		if t.GetRetryAt() != nil {
			parts = append(parts, "next try in "+output.Duration(t.GetRetryAt().AsTime().Sub(now)))
		}
	case "failed", "tolerated", "canceled":
		if a != nil {
			parts = append(parts, Ending(a, t.GetState()))
		}
	}
	if t.GetReason() != "" && (a == nil || t.GetReason() != a.GetReason()) {
		parts = append(parts, t.GetReason())
	}
	return join(parts)
}

func join(parts []string) string {
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ", ")
}

// Title is the run in one line: what, how far, how long.
func Title(r *runv1.Run, now time.Time) string {
	parts := []string{fmt.Sprintf("%s#%d", r.GetPipeline(), r.GetNumber()), StateOfRun(r)}
	if r.GetReason() != "" && r.GetReason() != StateOfRun(r) {
		parts = append(parts, "("+r.GetReason()+")")
	}
	if r.GetStartedAt() != nil {
		parts = append(parts, output.Duration(until(r.GetStartedAt(), r.GetFinishedAt(), now)))
	}
	progress := fmt.Sprintf("%d/%d tasks", r.GetTasksDone(), r.GetTasksTotal())
	if r.GetTasksFailed() > 0 {
		progress += fmt.Sprintf(", %d failed", r.GetTasksFailed())
	}
	return strings.Join(append(parts, progress, r.GetId()), "  ")
}
