package follow

import (
	"fmt"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// Log tells a run's changes in lines, for where nothing can be drawn twice.
type Log struct {
	// Painter is for the states.
	Painter output.Painter

	run   string
	tasks map[string]string
}

// Lines are what is new since the call before. Times are those of the events
// where the service says them, else now, in UTC.
func (l *Log) Lines(res *runv1.WatchRunResponse, now time.Time) []string {
	if l.tasks == nil {
		l.tasks = map[string]string{}
	}
	var lines []string
	for _, t := range res.GetTasks() {
		state := StateOf(t)
		mark := fmt.Sprintf("%s %d %d", state, len(t.GetAttempts()), t.GetItems().GetFailed())
		if l.tasks[t.GetName()] == mark {
			continue
		}
		l.tasks[t.GetName()] = mark
		if state == "pending" || state == "ready" {
			continue // nothing has happened to it yet
		}
		lines = append(lines, l.task(t, state, now))
	}
	run := res.GetRun()
	if mark := run.GetState() + run.GetReason(); mark != l.run {
		l.run = mark
		line := stamp(runTime(run, now)) + "  " + l.state(run.GetState()) + "  " + Title(run, now)
		if Terminal(run.GetState()) {
			return append(lines, line)
		}
		return append([]string{line}, lines...)
	}
	return lines
}

func (l *Log) task(t *runv1.Task, state string, now time.Time) string {
	at, detail := now, note(t, now)
	if a := Last(t); a != nil {
		switch {
		case a.GetFinishedAt() != nil:
			at = a.GetFinishedAt().AsTime()
			if d, ok := Elapsed(a, now); ok {
				detail = join([]string{"after " + output.Duration(d), detail})
			}
		case a.GetStartedAt() != nil:
			at = a.GetStartedAt().AsTime()
		case a.GetGrantedAt() != nil:
			at = a.GetGrantedAt().AsTime()
		}
	}
	return strings.TrimRight(stamp(at)+"  "+l.state(state)+"  "+t.GetName()+"  "+detail, " ")
}

func (l *Log) state(state string) string {
	cell := output.State(state)
	return l.Painter.Paint(cell.Tone, padTo(cell.Text, 17))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func runTime(r *runv1.Run, now time.Time) time.Time {
	switch {
	case r.GetFinishedAt() != nil:
		return r.GetFinishedAt().AsTime()
	case r.GetStartedAt() != nil && r.GetState() == "running":
		return r.GetStartedAt().AsTime()
	}
	return now
}
