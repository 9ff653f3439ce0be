package rundb

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

// sentences say what an entry tells, by its kind. A kind that is not here gets a
// sentence from what is filled in: journals have kinds of newer releases.
var sentences = map[engine.Kind]func(e *Entry) string{
	engine.KindRunStarted:         func(e *Entry) string { return by(e, "started the run", "The run started") },
	engine.KindRunCanceled:        func(e *Entry) string { return by(e, "canceled the run", "The run was canceled") },
	engine.KindRunForced:          func(e *Entry) string { return by(e, "ended the run by force", "The run was ended by force") },
	engine.KindRunRetried:         func(e *Entry) string { return by(e, "retried the run", "The run was retried") },
	engine.KindDeadlinePassed:     func(*Entry) string { return "The deadline passed: what runs is told to stop" },
	engine.KindExitDeadlinePassed: func(*Entry) string { return "The exit handlers' time is over: they are told to stop" },
	engine.KindAttemptEnded:       attemptSentence,
	engine.KindTaskEnded:          taskSentence,
	engine.KindMemberEnded:        memberSentence,
	engine.KindTaskDecided:        decisionSentence,
	engine.KindTaskExpanded:       expansionSentence,
	engine.KindRunPaused:          func(e *Entry) string { return by(e, "paused the run", "The run was paused") },
	engine.KindRunSuspended:       func(e *Entry) string { return by(e, "suspended the run", "The run was suspended") },
	engine.KindRunResumed:         func(e *Entry) string { return by(e, "resumed the run", "The run was resumed") },
	engine.KindSignalReceived:     signalSentence,
	engine.KindTaskApproved:       func(e *Entry) string { return by(e, "approved "+e.Path, e.Path+" was approved") },
	engine.KindTaskRejected:       func(e *Entry) string { return by(e, "rejected "+e.Path, e.Path+" was rejected") },
	engine.KindItemsStopped:       func(e *Entry) string { return "What had not begun inside of " + e.Path + " was stopped" },
}

// sentence is an entry in words.
func sentence(e *Entry) string {
	say := sentences[e.Kind]
	if say == nil {
		say = plainSentence
	}
	text := say(e)
	if e.Reason != "" && e.Kind != engine.KindTaskEnded {
		text += ": " + e.Reason
	}
	if e.Kind == engine.KindAttemptEnded && e.Next == engine.TaskOpen {
		text += "; " + again(e)
	}
	return text + "."
}

// by says who did something, or that it was done where nobody is named.
func by(e *Entry, did, done string) string {
	if who := cmp.Or(e.ActorName, e.Actor); who != "" {
		return who + " " + did
	}
	return done
}

func attemptSentence(e *Entry) string {
	text := fmt.Sprintf("Attempt %d of %s %s", e.Attempt, e.Path, ending(e.Outcome))
	if e.AgentName != "" {
		text += " on " + e.AgentName
	}
	if !e.Started.IsZero() && !e.Finished.IsZero() {
		text += " after " + span(e.Finished.Sub(e.Started))
	}
	return text
}

func memberSentence(e *Entry) string {
	if e.Lease == 0 {
		return fmt.Sprintf("Attempt %d of %s did not start", e.Attempt, e.Path)
	}
	return fmt.Sprintf("Member %d of a", e.Detail.Rank) + strings.TrimPrefix(attemptSentence(e), "A")
}

// ending is an outcome as a verb.
func ending(o engine.Outcome) string {
	switch o.String() {
	case "canceled", "lost", "preempted", "rejected", "refused", "skipped", "suspended":
		return "was " + o.String()
	}
	return strings.ReplaceAll(cmp.Or(o.String(), "ended"), "_", " ")
}

func again(e *Entry) string {
	if e.RetryAt.IsZero() {
		return "it is tried again at once"
	}
	return "it is tried again at " + e.RetryAt.UTC().Format("2006-01-02 15:04:05Z")
}

func taskSentence(e *Entry) string {
	text := fmt.Sprintf("Task %s is %s", e.Path, strings.ReplaceAll(e.Next.String(), "_", " "))
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

func decisionSentence(e *Entry) string {
	text := "An agent decided about " + e.Path
	if e.Detail != nil && e.Detail.Count > 0 {
		text += fmt.Sprintf(" (%d items)", e.Detail.Count)
	}
	return text
}

func expansionSentence(e *Entry) string {
	if e.Detail == nil || e.Detail.Count == 0 {
		return "Items of " + e.Path + " came into being"
	}
	return fmt.Sprintf("The items %d to %d of %s came into being", e.Detail.First, e.Detail.First+e.Detail.Count-1, e.Path)
}

func signalSentence(e *Entry) string {
	if e.Detail == nil {
		return by(e, "sent a signal", "A signal came")
	}
	name := strconv.Quote(e.Detail.Name)
	return by(e, "sent the signal "+name, "The signal "+name+" came")
}

// plainSentence is made of what the entry has.
func plainSentence(e *Entry) string {
	kind := strings.ReplaceAll(e.Kind.String(), "_", " ")
	text := strings.ToUpper(kind[:1]) + kind[1:]
	if e.Path != "" {
		text += " (" + e.Path + ")"
	}
	if who := cmp.Or(e.ActorName, e.Actor); who != "" {
		text += " by " + who
	}
	return text
}

// span spells a length of time to what matters of it.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Hour:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
