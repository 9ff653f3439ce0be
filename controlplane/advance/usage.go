package advance

import (
	"time"

	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// meter computes what the entries of this batch cost, and writes it on them, so
// that the journal itself is what the bill is derived from.
func (b *batch) meter(works []*runWork) []usage.Quantity {
	var attempts []usage.Attempt
	for _, w := range works {
		for i := range w.entries {
			e := &w.entries[i]
			if e.Kind != engine.KindAttemptEnded || e.Attempt < 0 {
				continue
			}
			info := w.version.info(w.state, e.Task, engine.AskNothing)
			a := usage.Attempt{
				Org: w.key.Org, Workspace: w.info.workspace, Pool: info.pool, Pipeline: w.info.pipeline,
				LabelSet: w.info.labelSet, Started: e.Started, Finished: e.Finished, Recorded: b.now,
				Billable: usage.Billable(e.Outcome.String(), !e.Started.IsZero()),
				GPUs:     info.req.GPUs, FirstOfRun: e.firstStart,
			}
			if n := e.members(); n > 0 {
				a.Members, a.BusyMS = n, e.Detail.BusyMS
			}
			e.billedMS, e.billedGPUMS = a.DurationMS(), a.GPUMS()
			attempts = append(attempts, a)
		}
	}
	return usage.Sum(attempts)
}

func (b *batch) writeUsage(q *writer, sums []usage.Quantity) {
	if len(sums) == 0 {
		return
	}
	n := len(sums)
	orgs, workspaces, pools, pipelines := make([]id.UUID, n), make([]id.UUID, n), make([]id.UUID, n), make([]id.UUID, n)
	meters, hours := make([]string, n), make([]time.Time, n)
	labelSets, quantities := make([]int64, n), make([]int64, n)
	for i, s := range sums {
		orgs[i], workspaces[i], pools[i], pipelines[i] = s.Org, s.Workspace, s.Pool, s.Pipeline
		meters[i], hours[i], labelSets[i], quantities[i] = string(s.Meter), s.Hour, s.LabelSet, s.Value
	}
	q.exactly(n, "insert usage", sqlInsertUsage, args{
		"orgs": orgs, "meters": meters, "workspaces": workspaces, "pools": pools, "pipelines": pipelines,
		"label_sets": labelSets, "hours": hours, "quantities": quantities,
	})
}
