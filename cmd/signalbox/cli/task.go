package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/follow"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (a *app) taskCommand() *cobra.Command {
	return group("task", "Tasks of runs: list them, look at one, test one by itself",
		a.taskListCommand(), a.taskGetCommand(), a.taskTestCommand())
}

// taskPages is how many tasks people see at once; programs get all.
const taskPages = 200

func (a *app) taskListCommand() *cobra.Command {
	req := &runv1.ListTasksRequest{}
	var limit int
	c := a.command("list [RUN]", "List a run's tasks, the items of its maps as well", upTo(0, "RUN"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		if limit == 0 && !a.flags.structured() {
			limit = taskPages
		}
		req.RunId = argument(args, 0, latest)
		tasks, matching, err := listTasks(ctx, api, req, limit)
		if err != nil {
			return err
		}
		if n := matching - len(tasks); n > 0 && !a.flags.structured() {
			a.note("There are %d more: --limit %d", n, matching)
		}
		return a.printTasks(tasks)
	})
	c.Long = `List a run's tasks in the order of their items. Tasks are named by their path:
train[3] is an item of a map, fold[3]/train what is part of one, plan/fit-1 what
the step plan has added.` + runHelp
	c.Example = `  signalbox task list @failed --node train --state failed
  signalbox task list fraud-train#12 --parent fold --json`
	c.Flags().StringVar(&req.Task, "node", "", "only what runs of this `TASK` of the pipeline")
	c.Flags().StringVar(&req.Parent, "parent", "", "only what is part of the task of this `PATH`")
	c.Flags().StringSliceVar(&req.States, "state", nil, "only those in this `STATE`; may be repeated")
	c.Flags().IntVarP(&limit, "limit", "n", 0, "at most so many (default 200, with --json all)")
	c.ValidArgsFunction = a.completeRuns
	return c
}

// printTasks prints tasks; as JSON they are a list.
func (a *app) printTasks(tasks []*runv1.Task) error {
	p, err := a.printer()
	if err != nil {
		return err
	}
	if p.Format == output.JSON || p.Format == output.YAML {
		list := make([]any, len(tasks))
		for i, t := range tasks {
			list[i] = taskObject(t)
		}
		return p.Value(list)
	}
	return p.Print(output.View{
		Items: output.Items(tasks), Names: output.NamesOf(tasks, (*runv1.Task).GetName), Blocks: []output.Block{a.taskGrid(tasks)},
	})
}

// taskObject is a task as programs see it: what its attempts have used up of its
// retries stands together, too.
func taskObject(t *runv1.Task) output.Object {
	return append(output.Of(t), output.Field{Name: "used", Value: output.Object{
		{Name: "user", Value: t.GetUsedUser()}, {Name: "infra", Value: t.GetUsedInfra()}, {Name: "preempt", Value: t.GetUsedPreempt()},
	}})
}

// listTasks pages through a run's tasks, up to a limit; 0 is none. It also says
// how many there are.
func listTasks(ctx context.Context, api *client.Clients, req *runv1.ListTasksRequest, limit int) ([]*runv1.Task, int, error) {
	req.PageSize = 500
	if limit > 0 {
		req.PageSize = uint32(min(limit, 500))
	}
	var out []*runv1.Task
	for {
		page, err := api.Run.ListTasks(ctx, req)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, page.GetTasks()...)
		req.PageToken = page.GetNextPageToken()
		if req.GetPageToken() == "" || limit > 0 && len(out) >= limit {
			return out, int(page.GetMatching()), nil
		}
	}
}

func (a *app) taskGetCommand() *cobra.Command {
	c := a.command("get RUN TASK", "Show a task and its attempts", exactly("RUN", "TASK"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Run.GetTask(ctx, &runv1.GetTaskRequest{RunId: args[0], Task: args[1]})
		if err != nil {
			return err
		}
		p, err := a.printer()
		if err != nil {
			return err
		}
		if p.Format.Structured() {
			return p.Value(taskObject(res.GetTask()))
		}
		t := res.GetTask()
		return p.Print(output.View{Names: []string{t.GetName()}, Blocks: []output.Block{a.taskSheet(res), a.attemptGrid(t)}})
	})
	c.Aliases = []string{"show"}
	c.Long = "Show a task, named by its path, and its attempts." + runHelp
	c.Example = `  signalbox task get @latest train
  signalbox task get fraud-train#12 'fold[3]/train' --json --jq .reason`
	c.ValidArgsFunction = a.completeRunAndTask
	return c
}

func (a *app) taskSheet(res *runv1.GetTaskResponse) *output.Sheet {
	t := res.GetTask()
	s := &output.Sheet{}
	s.Add("task", output.Text(t.GetName()))
	s.Add("run", output.Text(runName(res.GetRun())+"  "+res.GetRun().GetId()))
	s.Add("kind", output.Text(t.GetKind()))
	s.Add("state", output.State(follow.StateOf(t)))
	s.Add("reason", output.Text(t.GetReason()))
	s.Add("items", output.Text(follow.Progress(t)))
	s.Add("made by", output.Text(t.GetOriginRunId()))
	s.Add("pool", output.Text(t.GetPool()))
	if len(t.GetAttempts()) > 0 {
		s.Add("retries used", output.Text(usedText(t)))
	}
	return s
}

func usedText(t *runv1.Task) string {
	return fmt.Sprintf("user %d, infra %d, preempt %d", t.GetUsedUser(), t.GetUsedInfra(), t.GetUsedPreempt())
}

func (a *app) attemptGrid(t *runv1.Task) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{
			{Head: "ATTEMPT", Right: true},
			{Head: "STATE"},
			{Head: "DURATION", Right: true},
			{Head: "WHY"},
			{Head: "AGENT"},
			{Head: "BILLED", Right: true, Wide: true},
		},
		Empty: "No attempts.",
	}
	for _, x := range t.GetAttempts() {
		elapsed := ""
		if d, ok := follow.Elapsed(x, a.now()); ok {
			elapsed = output.Duration(d)
		}
		g.Add(output.Number(x.GetNumber()), output.State(x.GetState()), output.Text(elapsed), output.Text(follow.Ending(x, x.GetState())),
			output.Text(x.GetAgentName()), output.Text(output.Millis(x.GetBilledMs())))
	}
	return g
}

// expand puts the items of maps behind them.
func expand(ctx context.Context, api *client.Clients, runID string, tasks []*runv1.Task) ([]*runv1.Task, error) {
	for _, t := range tasks {
		if t.GetKind() == "map" && t.GetItems() != nil {
			all, _, err := listTasks(ctx, api, &runv1.ListTasksRequest{RunId: runID}, 0)
			return all, err
		}
	}
	return tasks, nil
}

// tasksFlag is whether the items of maps are shown one by one.
type tasksFlag string

func (f *tasksFlag) add(c *cobra.Command) {
	c.Flags().StringVar((*string)(f), "tasks", "", "`all` shows the items of maps one by one")
}

func (f *tasksFlag) all() (bool, error) {
	switch *f {
	case "", "few":
		return false, nil
	case "all":
		return true, nil
	}
	return false, exit.Usagef("--tasks: want all, got %q", string(*f))
}
