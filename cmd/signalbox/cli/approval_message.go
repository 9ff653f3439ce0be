package cli

import (
	"context"
	"strings"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/datastream"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// messageOf is an approval's message on its way to the reader.
func messageOf(task string, m *runv1.Value) *shownValue {
	return &shownValue{
		kind: datastream.KindMessage, task: task, name: m.GetName(), typ: m.GetType(), size: uint64(m.GetSize()),
		value: m.GetOpenJson(), sealed: m.GetSealed(),
	}
}

// openMessages opens the messages of a list, run by run, in place. Once nobody is
// there to open one it leaves the rest as they are: the list is of use without.
func (v *values) openMessages(ctx context.Context, api *client.Clients, list []*runv1.Approval) error {
	if v.closed {
		return nil
	}
	shown := map[string][]*shownValue{}
	var runs []string
	for _, x := range list {
		if x.GetMessage().GetSealed() == nil {
			continue
		}
		if shown[x.GetRunId()] == nil {
			runs = append(runs, x.GetRunId())
		}
		shown[x.GetRunId()] = append(shown[x.GetRunId()], messageOf(x.GetTask(), x.GetMessage()))
	}
	for _, run := range runs {
		if _, err := v.open(ctx, api, run, shown[run]); err != nil {
			if v.keyFile != "" {
				return err
			}
			v.note("Messages stay sealed: %s.", exit.From(err).Text)
			break
		}
		if v.keyFile == "" && anySealed(shown[run]) {
			break
		}
	}
	for _, x := range list {
		for _, s := range shown[x.GetRunId()] {
			if s.task == x.GetTask() && s.sealed == nil {
				x.Message.Content = &runv1.Value_OpenJson{OpenJson: s.value}
			}
		}
	}
	return nil
}

// showMessage says what is asked before a vote is cast. That it cannot be read is
// said, and stops no vote.
func (v *values) showMessage(ctx context.Context, api *client.Clients, runID, task string) {
	found, err := api.Run.GetTask(ctx, &runv1.GetTaskRequest{RunId: runID, Task: task})
	if err != nil {
		return // the vote is refused for the same
	}
	if text := found.GetTask().GetHold().GetMessage(); text != "" {
		v.note("%s asks: %s", task, text)
		return
	}
	res, err := api.Run.GetRunValues(ctx, &runv1.GetRunValuesRequest{Id: runID, Task: task})
	if err != nil {
		v.note("What %s asks stays sealed: %s.", task, exit.From(err).Text)
		return
	}
	for _, t := range res.GetTasks() {
		if t.GetTask() != task || t.GetMessage() == nil {
			continue
		}
		shown := []*shownValue{messageOf(task, t.GetMessage())}
		if shown[0].sealed != nil && !v.closed {
			if _, err := v.open(ctx, api, runID, shown); err != nil {
				v.note("What %s asks stays sealed: %s.", task, exit.From(err).Text)
			}
		}
		if shown[0].sealed == nil {
			v.note("%s asks: %s", task, plan.Text(shown[0].value))
		}
	}
}

// messageCell shows a message in one line.
func messageCell(m *runv1.Value) output.Cell {
	switch {
	case m == nil:
		return output.Text("")
	case m.GetSealed() != nil:
		return output.Cell{Text: "sealed", Tone: output.Faint}
	}
	return output.Text(strings.ReplaceAll(plan.Text(m.GetOpenJson()), "\n", "⏎"))
}
