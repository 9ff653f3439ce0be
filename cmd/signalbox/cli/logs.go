package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/datastream"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/follow"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// logs is the state of one `signalbox logs`.
type logs struct {
	*app

	attempt    uint32
	follow     bool
	timestamps bool

	api   *client.Clients
	org   id.UUID
	runID string
	// parent is what the tasks are part of whose logs are read; empty for all.
	parent string
	print  *logPrinter
}

func (a *app) logsCommand() *cobra.Command {
	l := &logs{app: a}
	c := a.command("logs [RUN] [TASK]", "Read the logs of a run, from the agent that has them", upTo(0, "RUN", "TASK"), l.run)
	c.Long = `Read the logs of a run's tasks, or of one TASK. Logs stay with your agents: an
agent seals them to a key that is made for this one command, and the server
passes on what it cannot read. So the agent that ran the task must be online.
` + runHelp
	c.Example = `  signalbox logs @failed
  signalbox logs fraud-train#12 train --attempt 1
  signalbox logs @latest --follow`
	c.Flags().Uint32Var(&l.attempt, "attempt", 0, "the `NUMBER` of the task's attempt (default the last)")
	c.Flags().BoolVarP(&l.follow, "follow", "f", false, "go on until the run ends")
	c.Flags().BoolVarP(&l.timestamps, "timestamps", "t", false, "put the time before each line")
	c.ValidArgsFunction = a.completeRunAndTask
	return c
}

func (l *logs) run(ctx context.Context, args []string) error {
	p, err := l.printer()
	if err != nil {
		return err
	}
	if l.api, err = l.app.api(); err != nil {
		return err
	}
	where, err := l.herePlace(ctx, l.api)
	if err != nil {
		return err
	}
	if l.org, _, err = where.ids(); err != nil {
		return err
	}
	res, err := l.api.Run.GetRun(client.Preparing(ctx), &runv1.GetRunRequest{Id: argument(args, 0, latest)})
	if err != nil {
		return err
	}
	l.runID = res.GetRun().GetId()
	task := argument(args, 1, "")
	if l.attempt != 0 && task == "" {
		return exit.Usagef("--attempt needs a TASK")
	}
	var one *runv1.Task
	if task != "" {
		if one, err = l.find(ctx, res, task); err != nil {
			return err
		}
	}
	if l.attempt != 0 {
		if err := hasAttempt(res.GetRun(), one, l.attempt); err != nil {
			return err
		}
	}
	if one == nil || one.GetItems() != nil && len(one.GetAttempts()) == 0 {
		// All of them, or those of a map, a loop or a group.
		list, _, err := listTasks(client.Preparing(ctx), l.api, &runv1.ListTasksRequest{RunId: l.runID, Parent: task}, 0)
		if err != nil {
			return err
		}
		res.Tasks, l.parent, task = list, task, ""
	}
	l.print = newLogPrinter(p, l.out, l.timestamps, task, res.GetTasks())
	switch {
	case l.follow && l.attempt == 0:
		return l.followAll(ctx, task)
	case task != "":
		return l.read(ctx, task, l.attempt)
	}
	return l.readAll(ctx, res)
}

// find is the task of that path.
func (l *logs) find(ctx context.Context, res *runv1.GetRunResponse, path string) (*runv1.Task, error) {
	for _, t := range res.GetTasks() {
		if t.GetName() == path {
			return t, nil
		}
	}
	one, err := l.api.Run.GetTask(client.Preparing(ctx), &runv1.GetTaskRequest{RunId: l.runID, Task: path})
	if err != nil && exit.From(err).Code == exit.NotFound {
		return nil, exit.New(exit.NotFound, "%s has no task %q", runName(res.GetRun()), path).
			Advise("`signalbox task list %s` lists them", l.runID)
	}
	return one.GetTask(), err
}

// hasAttempt says that a task has no such attempt, where the service could only
// say that there is no such log.
func hasAttempt(run *runv1.Run, t *runv1.Task, number uint32) error {
	for _, x := range t.GetAttempts() {
		if x.GetNumber() == number {
			return nil
		}
	}
	e := exit.New(exit.NotFound, "%s of %s has no attempt %d", t.GetName(), runName(run), number)
	if last := follow.Last(t); last != nil {
		return e.Advise("its last is attempt %d, which is read without --attempt", last.GetNumber())
	}
	return e.Advise("it was not started yet")
}

// read prints one attempt's log. A stream that is cut is opened again where it
// ended, as often as the agent can be reached.
func (l *logs) read(ctx context.Context, task string, attempt uint32) error {
	err := l.readOn(ctx, task, attempt)
	return errors.Join(err, l.print.end(task, attempt))
}

func (l *logs) readOn(ctx context.Context, task string, attempt uint32) error {
	src := datastream.Source{
		Org: l.org, Run: l.runID, Kind: relayv1.DataKind_DATA_KIND_LOGS,
		Task: task, Attempt: attempt, Follow: l.follow,
	}
	begun := false
	for try := 1; ; try++ {
		err := datastream.ReadLog(ctx, l.api.Relay, l.opts.Random, src, func(line datastream.Line) error {
			if begun && line.Offset <= src.Offset {
				return nil // seen before the stream was cut
			}
			begun, src.Offset, try = true, line.Offset, 1
			return l.print.record(task, attempt, line)
		})
		if err == nil || !begun && !l.follow || !datastream.Cut(err) || ctx.Err() != nil || try > 5 {
			return err
		}
		if err := sleep(ctx, l.opts.RetryDelay(try)); err != nil {
			return err
		}
	}
}

func (l *logs) readAll(ctx context.Context, res *runv1.GetRunResponse) error {
	read := 0
	for _, t := range res.GetTasks() {
		last := follow.Last(t)
		if last == nil {
			continue
		}
		read++
		if err := l.readOrSay(ctx, t.GetName(), last.GetNumber()); err != nil {
			return err
		}
	}
	if read == 0 {
		l.note("%s has run no task yet; --follow waits for the first.", runName(res.GetRun()))
	}
	return nil
}

// readOrSay reads a log among others: one that is gone is said and left out.
func (l *logs) readOrSay(ctx context.Context, task string, attempt uint32) error {
	err := l.read(ctx, task, attempt)
	if err == nil {
		return nil
	}
	if e := exit.From(err); e.Reason == "DATA_GONE" || e.Reason == "NO_AGENT_ONLINE" || e.Code == exit.NotFound {
		l.note("%s, attempt %d: no log: %s", task, attempt, e.Text)
		return nil
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
