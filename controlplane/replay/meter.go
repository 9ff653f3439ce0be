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
	a := usage.Attempt{
		Org: m.facts.Org, Workspace: row.WorkspaceID, Pool: m.version.pools[task.Pool], Pipeline: row.PipelineID, LabelSet: row.LabelSetID,
		Started: e.Started, Finished: e.Finished, Recorded: e.At,
		Billable:   usage.Billable(e.Outcome.String(), !e.Started.IsZero()),
		GPUs:       int32(task.Resources.GPUs),
		FirstOfRun: !m.began && !e.Started.IsZero(),
	}
	if e.Detail != nil {
		a.Members, a.BusyMS = e.Detail.Gang, e.Detail.BusyMS
	}
	m.began = m.began || a.FirstOfRun
	if e.Seq <= m.facts.CountedTo {
		return
	}
	for _, q := range usage.Measure(a) {
		m.used[q.Key] += q.Value
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
