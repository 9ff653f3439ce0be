package simulation_test

import (
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

const pipelineCount = 8

// deployAll makes pools and random pipelines.
func (w *world) deployAll() {
	for i := range 2 {
		p := &poolRow{id: w.newID()}
		if i == 0 {
			p.slots = 5
		}
		w.db.pools = append(w.db.pools, p)
	}
	w.addLimits()
	for i := range pipelineCount {
		p := &pipelineRow{id: w.newID(), next: 1}
		drawn := w.drawPlan(i)
		for n := range p.graphs {
			version := *drawn
			if n == 0 || w.roll(2) {
				w.drawConcurrency(&version)
			} else {
				version.Concurrency = p.graphs[0].Plan.Concurrency
			}
			g, err := engine.NewGraph(&version)
			if err != nil {
				panic(err) // the generator is wrong
			}
			p.graphs[n] = g
		}
		w.db.pipelines = append(w.db.pipelines, p)
	}
}

// drawConcurrency bounds how many runs of some pipelines go on at once.
func (w *world) drawConcurrency(p *plan.Plan) {
	if w.roll(2) {
		p.Concurrency = &plan.Concurrency{Limit: pick(w, 1, 1, 2, 3), Policy: pick(w, plan.ConcurrencyPolicies()...)}
	}
}

func (w *world) graph(row *runRow) *engine.Graph {
	return w.db.pipelines[row.pipeline].graphs[row.version]
}

var drawnRules = append(plan.Rules(), "", "", "", "quorum(0.5)", "quorum(0.67, early)")

// drawPlan is a pipeline with something of everything: top-level tasks, exit
// handlers, and behind them the tasks of groups.
func (w *world) drawPlan(n int) *plan.Plan {
	p := &plan.Plan{Format: plan.Format, Name: fmt.Sprintf("p%d", n)}
	p.OnFailure = pick(w, plan.OnTaskFailure(""), plan.OnFailureContinue, plan.OnFailureStop, plan.OnFailureCancel)
	if w.roll(4) {
		p.Deadline = plan.Millis(w.between(time.Minute, 20*time.Minute).Milliseconds())
	}
	for i := range 1 + w.rand.IntN(7) {
		t := w.drawTask(fmt.Sprintf("t%d", i))
		w.makeDynamic(&t)
		if n > 0 && t.ForEach == nil && t.Repeat == nil && !t.Group && t.Run != "" && w.roll(6) {
			t.Run, t.Pipeline = "", &plan.Nested{Name: fmt.Sprintf("p%d", w.rand.IntN(n)), OnParentCancel: pick(w, "", "abandon")}
		}
		if i > 0 {
			t.Rule = drawnRules[w.rand.IntN(len(drawnRules))]
			for up := range i {
				if w.roll(3) {
					t.Needs = append(t.Needs, up)
				}
			}
		}
		p.Tasks = append(p.Tasks, t)
	}
	if w.roll(2) {
		t := w.drawTask(templateName)
		t.Template = true
		p.Tasks = append(p.Tasks, t)
	}
	for i := range w.rand.IntN(3) {
		t := w.drawTask(fmt.Sprintf("x%d", i))
		t.Exit = pick(w, plan.ExitAlways, plan.ExitSucceeded, plan.ExitFailed, plan.ExitCanceled)
		t.Retry.Infra += 2
		p.Tasks = append(p.Tasks, t)
	}
	for owner := range len(p.Tasks) {
		if p.Tasks[owner].Group {
			w.fillGroup(p, owner)
		}
	}
	return p
}

// templateName is the task of which steps add instances.
const templateName = "tpl"

// makeDynamic turns some tasks into maps, loops, groups, and tasks with a
// condition. What a new kind of task needs is drawn here.
func (w *world) makeDynamic(t *plan.Task) {
	if w.roll(5) {
		t.If = "true"
	}
	switch w.rand.IntN(8) {
	case 0:
		t.ForEach = &plan.ForEach{Items: "${{ list }}", MaxParallel: w.rand.IntN(4), Tolerate: w.rand.IntN(3), StopOnFailure: w.roll(3)}
		t.ForEach.OnEmpty = pick(w, plan.OnEmpty(""), plan.OnEmptySkip, plan.OnEmptyFail)
		if w.roll(3) {
			t.ItemIf = "true"
		}
	case 1:
		t.ForEach = &plan.ForEach{Count: 1 + w.rand.IntN(6), MaxParallel: w.rand.IntN(3)}
	case 2:
		t.Repeat = &plan.Repeat{Until: "true", Max: 1 + w.rand.IntN(4), OnMax: pick(w, "", "succeed")}
	case 4:
		switch t.Run = ""; w.rand.IntN(3) {
		case 0:
			t.Wait = &plan.Wait{For: plan.Millis(w.rand.IntN(300_000))}
		case 1:
			t.Signal = &plan.Signal{Name: pick(w, signals...), OnTimeout: pick(w, "", plan.OnTimeoutSkip)}
			t.Signal.Timeout = plan.Millis(pick(w, 0, w.rand.IntN(600_000)))
		case 2:
			t.Approve = &plan.Approve{Required: w.rand.IntN(3), NotRequester: w.roll(3), OnReject: pick(w, "", plan.OnTimeoutSkip)}
			t.Approve.Timeout = plan.Millis(pick(w, 0, w.rand.IntN(600_000)))
			t.Approve.OnTimeout = pick(w, "", plan.OnTimeoutSkip, plan.OnTimeoutApprove)
		}
	case 3:
		t.Group = true
		if w.roll(2) {
			t.ForEach = &plan.ForEach{Items: "${{ list }}", MaxParallel: w.rand.IntN(3), Tolerate: w.rand.IntN(2)}
		}
	}
}

// signals are the names of the messages from outside.
var signals = []string{"go", "stop"}

func (w *world) fillGroup(p *plan.Plan, owner int) {
	first := len(p.Tasks)
	for i := range 1 + w.rand.IntN(3) {
		t := w.drawTask(fmt.Sprintf("%s/g%d", p.Tasks[owner].Name, i))
		t.In = owner + 1
		for up := first; up < first+i; up++ {
			if w.roll(2) {
				t.Needs = append(t.Needs, up)
			}
		}
		p.Tasks = append(p.Tasks, t)
	}
}

func (w *world) drawTask(name string) plan.Task {
	t := plan.Task{
		Name: name, Run: "true", Priority: w.rand.IntN(3), Tolerate: w.roll(6), Pool: pick(w, "pool0", "pool1"),
		Retry: plan.Retry{
			User: w.rand.IntN(3), Infra: 1 + w.rand.IntN(3), Preempt: w.rand.IntN(3),
			Base: plan.Millis(w.rand.IntN(20_000)), FactorMilli: 2000, Cap: 60_000, Jitter: pick(w, plan.JitterNone, plan.JitterEqual, plan.JitterFull),
			Never: []string{"exit:2"},
		},
	}
	t.Resources.Slots = pick(w, 0, 1, 1, 2)
	t.Resources.GPUs = pick(w, 0, 0, 0, 1)
	w.drawLimits(&t)
	w.drawGang(&t)
	if w.roll(5) {
		t.Timeouts.Queue = plan.Millis(w.between(5*time.Second, 3*time.Minute).Milliseconds())
	}
	return t
}

func pick[T any](w *world, of ...T) T { return of[w.rand.IntN(len(of))] }

func poolNamed(name string) int {
	if name == "pool1" {
		return 1
	}
	return 0
}

// classOf is a task's requirement class: what it asks of an agent.
func classOf(t *plan.Task) int64 {
	return int64(max(1, t.Resources.Slots)) | int64(t.Resources.GPUs)<<8 | usesClass(t) | gangClass(t)
}

// needOf is what a class takes of an agent. A decision takes nothing.
func needOf(class int64, asking bool) (choose.Amount, int32) {
	if asking {
		return choose.Amount{}, 0
	}
	slots := int32(class & 0xff)
	return choose.Amount{Slots: slots, GPUs: int32(class >> 8 & 0xff)}, slots
}

// attemptOf is what an entry is billed as.
func attemptOf(w *world, run id.UUID, pipeline int, t *plan.Task, e *entryRow) usage.Attempt {
	_ = run
	a := usage.Attempt{
		Pool: w.poolID(poolNamed(t.Pool)), Pipeline: w.db.pipelines[pipeline].id,
		Started: e.Started, Finished: e.Finished, Recorded: e.At,
		Billable: usage.Billable(e.Outcome.String(), !e.Started.IsZero()),
		GPUs:     int32(t.Resources.GPUs), FirstOfRun: e.first,
	}
	if n := membersOf(&e.Entry); n > 0 {
		a.Members, a.BusyMS = n, e.Detail.BusyMS
	}
	return a
}
