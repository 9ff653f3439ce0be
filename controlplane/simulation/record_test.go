package simulation_test

import (
	"time"

	"github.com/signalboxhq/signalbox/internal/leasecheck"
	"github.com/signalboxhq/signalbox/proto/id"
)

// What agents, reapers and people saw of leases, for internal/leasecheck. An
// operation is recorded when it begins: who is killed before the answer leaves
// it unknown, as the commit may or may not have been made.

func (w *world) clock() time.Duration { return time.Since(w.began) }

// recordGrant is a lease that an agent received, in a call that began then.
func (w *world) recordGrant(l lease, call time.Duration) {
	if w.opt.record {
		w.history.Add(leasecheck.Task{Run: l.run, Task: l.task}, leasecheck.Op{
			Kind: leasecheck.Grant, Lease: l.id, Answer: leasecheck.Done, Call: call, Return: w.clock(),
		})
	}
}

func (w *world) recordReports(all []attemptReport) []*leasecheck.Op {
	if !w.opt.record {
		return make([]*leasecheck.Op, len(all))
	}
	var ops []*leasecheck.Op
	for _, r := range all {
		ops = append(ops, w.history.Add(leasecheck.Task{Run: r.run, Task: r.task}, leasecheck.Op{
			Kind: leasecheck.Report, Lease: r.lease, Call: w.clock(),
		}))
	}
	return ops
}

func (w *world) recordStatus(op *leasecheck.Op, st status) {
	switch {
	case op == nil:
	case st == statusAccepted:
		w.history.End(op, leasecheck.Accepted, w.clock())
	case st == statusStale:
		w.history.End(op, leasecheck.Stale, w.clock())
	}
}

func (w *world) recordLose(l loseLease) *leasecheck.Op {
	row := w.db.leases[l.lease]
	if !w.opt.record || row == nil {
		return nil // it is gone: nothing can come of it
	}
	return w.history.Add(leasecheck.Task{Run: row.run, Task: row.task}, leasecheck.Op{Kind: leasecheck.Lose, Lease: l.lease, Call: w.clock()})
}

func (w *world) recordForce(run id.UUID, force bool) *leasecheck.Op {
	if !w.opt.record || !force {
		return nil
	}
	return w.history.AddForce(run, leasecheck.Op{Call: w.clock()})
}

func (w *world) recordDone(op *leasecheck.Op, err error) {
	if op != nil && err == nil {
		w.history.End(op, leasecheck.Done, w.clock())
	}
}

// recordUnseen adds the leases that no agent ever saw.
func (w *world) recordUnseen() {
	if !w.opt.record {
		return
	}
	for _, run := range w.db.order {
		for i := range w.db.runs[run].journal {
			if e := &w.db.runs[run].journal[i]; e.EndsLease() {
				w.history.Unseen(leasecheck.Task{Run: run, Task: e.Task}, e.Lease)
			}
		}
	}
}
