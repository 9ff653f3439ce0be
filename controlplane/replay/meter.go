package replay

import (
	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Tally is usage by its key.
type Tally map[usage.Key]int64

// meter counts what a run's attempts used.
type meter struct {
	facts   *Facts
	version *Version
	used    Tally
	began   bool
}

// count adds the end of an attempt, before it is folded.
func (m *meter) count(s *engine.State, e *journal.Row) {
	if m.used == nil || e.Kind != engine.KindAttemptEnded || e.Attempt < 0 {
		return // decisions are free
	}
	task, row := taskOf(m.version.Graph, s, e.Task), m.facts.Row
	if task == nil {
		return // the fold says what is wrong with it
	}
	a := attemptOf(task, e)
	a.Org, a.Workspace, a.Pool, a.Pipeline, a.LabelSet = m.facts.Org, row.WorkspaceID, m.version.pools[task.Pool], row.PipelineID, row.LabelSetID
	a.FirstOfRun = !m.began && !e.Started.IsZero()
	m.began = m.began || a.FirstOfRun
	if e.Seq <= m.facts.CountedTo {
		return
	}
	for _, q := range usage.Measure(a) {
		m.used[q.Key] += q.Value
	}
}

// attemptOf is the end of an attempt as its entry tells it; its task is nil where
// it is not known.
func attemptOf(task *plan.Task, e *journal.Row) usage.Attempt {
	a := usage.Attempt{
		Started: e.Started, Finished: e.Finished, Recorded: e.At, Billable: usage.Billable(e.Outcome.String(), !e.Started.IsZero()),
	}
	if task != nil {
		a.GPUs = int32(task.Resources.GPUs)
	}
	if e.Detail != nil {
		a.Members, a.BusyMS = e.Detail.Gang, e.Detail.BusyMS
	}
	return a
}

// billed compares what an entry is billed for with what its attempt took.
func (r *Run) billed(row *Row, task *plan.Task, e *journal.Row) {
	var a usage.Attempt
	if e.Kind == engine.KindAttemptEnded && e.Attempt >= 0 { // decisions are free
		a = attemptOf(task, e)
	}
	if ms := a.DurationMS(); e.BilledMS != ms {
		r.add(KindJournal, "entry %d of %s bills %d ms, but its attempt took %d ms.", e.Seq, row, e.BilledMS, ms)
	}
	if e.BilledGPUMS == nil || (task == nil && e.Task >= 0) {
		return // nobody can tell
	}
	if ms := a.GPUMS(); *e.BilledGPUMS != ms {
		r.add(KindJournal, "entry %d of %s bills %d ms of GPU time, but its attempt took %d ms.", e.Seq, row, *e.BilledGPUMS, ms)
	}
}

// taskOf is the plan of a task; of a run whose journal cannot be folded only the
// pipeline's own may be known.
func taskOf(g *engine.Graph, s *engine.State, task int32) *plan.Task {
	switch {
	case task >= 0 && int(task) < len(s.Tasks):
		return g.Task(s, task)
	case task >= 0 && task < g.Own():
		return &g.Plan.Tasks[task]
	}
	return nil
}
