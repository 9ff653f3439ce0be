package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/follow"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// runName is how people call a run.
func runName(r *runv1.Run) string { return fmt.Sprintf("%s#%d", r.GetPipeline(), r.GetNumber()) }

func (a *app) runView(res *runv1.GetRunResponse) output.View {
	r := res.GetRun()
	return output.View{
		Answer: res,
		Items:  output.Items(res.GetTasks()),
		Names:  []string{r.GetId()},
		Blocks: []output.Block{a.runSheet(r), a.taskGrid(res.GetTasks())},
	}
}

func (a *app) runSheet(r *runv1.Run) *output.Sheet {
	s := &output.Sheet{}
	s.Add("run", output.Text(runName(r)))
	s.Add("id", output.Text(r.GetId()))
	s.Add("state", output.State(follow.StateOfRun(r)))
	if r.GetWaiting() != nil {
		s.Add("waits", output.Text(waitingText(r.GetWaiting())))
	} else {
		s.Add("reason", output.Text(r.GetReason()))
	}
	if r.GetOutcome() != r.GetState() {
		s.Add("outcome", output.State(r.GetOutcome()))
	}
	s.Add("version", output.Text(short(r.GetVersion())))
	s.Add("started by", output.Text(strings.TrimSpace(r.GetCause()+" "+r.GetActor())))
	if p := r.GetParent(); p != nil {
		s.Add("parent", output.Text(fmt.Sprintf("%s#%d task %s (%s)", p.GetPipeline(), p.GetNumber(), p.GetTask(), p.GetRunId())))
	}
	s.Add("labels", output.Text(labelText(r.GetLabels())))
	if r.GetPriority() != 0 {
		s.Add("priority", output.Number(r.GetPriority()))
	}
	if r.GetGeneration() > 1 {
		s.Add("generation", output.Number(r.GetGeneration()))
	}
	if r.GetNominal() != nil {
		s.Add("scheduled for", a.moment(r.GetNominal()))
	}
	s.Add("created", a.moment(r.GetCreatedAt()))
	s.Add("duration", took(r.GetStartedAt(), r.GetFinishedAt(), a.now()))
	s.Add("tasks", output.Text(fmt.Sprintf("%d of %d done, %d failed", r.GetTasksDone(), r.GetTasksTotal(), r.GetTasksFailed())))
	if r.GetExitHandlerFailed() {
		s.Add("alert", output.Text("P2: an exit handler failed"))
	}
	return s
}

func (a *app) taskGrid(tasks []*runv1.Task) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{
			{Head: "TASK"},
			{Head: "STATE"},
			{Head: "ATTEMPTS", Right: true},
			{Head: "DURATION", Right: true},
			{Head: "WHY"},
			{Head: "AGENT", Wide: true},
			{Head: "POOL", Wide: true},
			{Head: "BILLED", Right: true, Wide: true},
			{Head: "RETRIES USED", Wide: true},
			{Head: "NEEDS", Wide: true},
		},
	}
	for _, t := range tasks {
		elapsed, agent, why := output.Text(""), output.Text(""), whyText(t)
		var billed int64
		for _, x := range t.GetAttempts() {
			billed += x.GetBilledMs()
		}
		if d, ok := follow.Took(t, a.now()); ok {
			elapsed = output.Text(output.Duration(d))
		}
		if last := follow.Last(t); last != nil {
			agent = output.Text(last.GetAgentName())
			if why == "" {
				why = follow.Ending(last, t.GetState())
			}
		}
		why = cmp.Or(why, follow.Child(t), follow.Holding(t, a.now()))
		g.Add(output.Text(t.GetName()), output.State(follow.StateOf(t)), output.Number(len(t.GetAttempts())), elapsed,
			output.Text(why), agent, output.Text(t.GetPool()), output.Text(output.Millis(billed)), output.Text(usedText(t)),
			output.Text(strings.Join(t.GetNeeds(), " ")))
	}
	return g
}

// whyText is what is to be said of a task beside its state.
func whyText(t *runv1.Task) string {
	why := cmp.Or(t.GetReason(), follow.Waiting(t))
	if t.GetOriginRunId() != "" {
		why = "from " + t.GetOriginRunId()
	}
	if p := follow.Progress(t); p != "" {
		return joinText(p, why)
	}
	return why
}

func (a *app) runGrid(runs []*runv1.Run) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{
			{Head: "RUN"},
			{Head: "STATE"},
			{Head: "TASKS", Right: true},
			{Head: "DURATION", Right: true},
			{Head: "CREATED"},
			{Head: "BY"},
			{Head: "ID"},
			{Head: "VERSION", Wide: true},
			{Head: "LABELS", Wide: true},
			{Head: "REASON", Wide: true},
		},
		Empty: "No runs. Start one with `signalbox run start PIPELINE`.",
	}
	for _, r := range runs {
		g.Add(output.Text(runName(r)), output.State(follow.StateOfRun(r)), output.Text(fmt.Sprintf("%d/%d", r.GetTasksDone(), r.GetTasksTotal())),
			took(r.GetStartedAt(), r.GetFinishedAt(), a.now()), a.ago(r.GetCreatedAt()), output.Text(r.GetActor()), output.Text(r.GetId()),
			output.Text(short(r.GetVersion())), output.Text(labelText(r.GetLabels())), output.Text(r.GetReason()))
	}
	return g
}
