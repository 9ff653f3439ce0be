package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/follow"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (a *app) taskTestCommand() *cobra.Command {
	c := a.command("test RUN TASK", "Run one task of a run again, by itself", exactly("RUN", "TASK"), a.testTask)
	c.Long = `Run one task of a run again on an agent, with the same inputs, as a run of its
own, and show its log and exit code. The run that it is of stays as it is, and
nothing that hangs on the task runs. The exit code is 0 where the task succeeds,
and 9 where it fails.` + runHelp
	c.Example = `  signalbox task test @failed train`
	c.ValidArgsFunction = a.completeRunAndTask
	return c
}

func (a *app) testTask(ctx context.Context, args []string) error {
	api, err := a.api()
	if err != nil {
		return err
	}
	runID, err := resolveRun(ctx, api, args[0])
	if err != nil {
		return err
	}
	res, err := api.Run.TestTask(ctx, &runv1.TestTaskRequest{RunId: runID, Task: args[1]})
	if err != nil {
		return err
	}
	tested := res.GetRun()
	a.note("Testing %s in %s (%s) …", args[1], runName(tested), tested.GetId())
	end := a.followRun(ctx, tested.GetId(), stopOnEnd, func(*runv1.WatchRunResponse) error { return nil })
	var quiet *exit.QuietError
	if end != nil && !errors.As(end, &quiet) {
		return end
	}
	got, err := api.Run.GetTask(ctx, &runv1.GetTaskRequest{RunId: tested.GetId(), Task: args[1]})
	if err != nil {
		return err
	}
	if err := a.showTest(ctx, api, got); err != nil {
		return err
	}
	return end
}

// showTest shows how a test ended: the log, if somebody looks, and the exit code.
func (a *app) showTest(ctx context.Context, api *client.Clients, res *runv1.GetTaskResponse) error {
	p, err := a.printer()
	if err != nil {
		return err
	}
	task, last := res.GetTask(), follow.Last(res.GetTask())
	if p.Format.Structured() {
		return p.Value(output.Object{
			{Name: "runId", Value: res.GetRun().GetId()},
			{Name: "task", Value: task.GetName()},
			{Name: "state", Value: task.GetState()},
			{Name: "exitCode", Value: last.GetExitCode()},
			{Name: "reason", Value: task.GetReason()},
		})
	}
	if last != nil {
		l := &logs{app: a, api: api, runID: res.GetRun().GetId(), print: newLogPrinter(p, a.out, false, task.GetName(), nil)}
		where, err := a.herePlace(ctx, api)
		if err != nil {
			return err
		}
		if l.org, _, err = where.ids(); err != nil {
			return err
		}
		if err := l.readOrSay(ctx, task.GetName(), last.GetNumber()); err != nil {
			return err
		}
	}
	s := &output.Sheet{}
	s.Add("task", output.Text(task.GetName()))
	s.Add("state", output.State(follow.StateOf(task)))
	s.Add("items", output.Text(follow.Progress(task)))
	if last != nil {
		s.Add("exit code", output.Number(last.GetExitCode()))
	}
	s.Add("reason", output.Text(task.GetReason()))
	s.Add("test run", output.Text(runName(res.GetRun())+"  "+res.GetRun().GetId()))
	return p.Print(output.View{Names: []string{res.GetRun().GetId()}, Blocks: []output.Block{s}})
}
