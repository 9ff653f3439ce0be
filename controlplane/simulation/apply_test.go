package simulation_test

import (
	"errors"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// timerRetry is the kind of an attempt that waits; the engine names the others.
const timerRetry = "retry"

// decide runs the rules, reports before expiries.
func (b *batch) decide() {
	for _, q := range b.reqs {
		if c, ok := q.cmd.(endSession); ok {
			q.value = false
			_ = c
		}
	}
	for _, o := range b.ops {
		w := b.works[o.run]
		if w.missing {
			if _, report := o.req.cmd.(reportAll); !report {
				o.req.err = errGone
			}
			continue
		}
		b.apply(w, o)
	}
}

func (b *batch) apply(w *runWork, o op) {
	switch c := o.req.cmd.(type) {
	case startRun:
		b.applyStart(w, o.req, c)
	case reportAll:
		b.applyReport(w, o, c, &c.reports[o.index])
	case cancelRun:
		o.req.err = b.decideAs(w, o.run, engine.Cancel{Now: b.now, Actor: "somebody", Force: c.force, Live: b.live(o.run)})
	case retryRun:
		o.req.err = b.applyRetry(w, c)
	case pauseRun:
		o.req.err = b.decideAs(w, o.run, engine.Pause{Now: b.now, Suspend: c.suspend, Seen: c.seen, Live: b.live(o.run)})
	case resumeRun:
		o.req.err = b.decideAs(w, o.run, engine.Resume{Now: b.now, Seen: c.seen, Live: b.live(o.run)})
	case sendSignal:
		o.req.err = b.decideAs(w, o.run, engine.Signal{Now: b.now, Name: c.name, Key: c.key, Live: b.live(o.run)})
	case castVote:
		o.req.err = b.decideAs(w, o.run, engine.Vote{Now: b.now, Task: c.task, Actor: c.voter, Reject: c.reject, Live: b.live(o.run)})
	case dueTimer:
		b.applyDue(w, o.run, c)
	case loseLease:
		b.applyLose(w, o.run, c)
	case wakeRow:
		o.req.err = b.applyWake(w, o, c)
	}
}

func (b *batch) applyStart(w *runWork, q *request, c startRun) {
	if c.key != "" {
		known := b.keys[c.key]
		if known.fingerprint != c.fingerprint {
			q.err, w.refused = errMismatch, true
			return
		}
		if known.run != q.run {
			q.value, w.refused = started{run: known.run}, true
			return
		}
	}
	w.state, w.start = engine.NewState(q.run), q
	if q.err = b.come(w, q.run, c.at, "somebody"); q.err != nil {
		w.refused = true
		return
	}
	q.value = started{run: q.run, created: true}
}

func (b *batch) applyReport(w *runWork, o op, c reportAll, rep *attemptReport) {
	l := b.leases[rep.lease]
	if b.r.w.opt.plant == plantFence {
		for _, x := range b.leases {
			if x.run == rep.run && x.task == rep.task {
				l = x
			}
		}
	} else if l != nil && (l.agent != c.agent || l.run != rep.run) {
		l = nil
	}
	if l == nil {
		return // answered from the journal
	}
	if w.gone[l.id] {
		o.req.status[o.index] = statusAccepted // twice in one batch
		return
	}
	finished := clamp(b.now.Add(-rep.ago), l.granted, b.now)
	cmd := engine.Report{
		Now: b.now, Lease: l.engine(), Finished: finished, Outcome: rep.outcome, ExitCode: rep.exit, Answer: rep.answer,
		Live: b.live(o.run),
	}
	b.addMembers(w, o.run, &cmd, rep)
	cmd.Lease.Started = time.Time{}
	if rep.started {
		cmd.Lease.Started = clamp(finished.Add(-rep.duration), l.granted, finished)
	}
	o.req.status[o.index] = statusAccepted
	if err := b.decideAs(w, o.run, cmd); err != nil {
		o.req.status[o.index] = statusStale
	}
}

// addMembers gives a report the tasks that its step adds, as instances of the
// pipeline's template, if it has one.
func (b *batch) addMembers(w *runWork, run id.UUID, cmd *engine.Report, rep *attemptReport) {
	task, g := cmd.Lease.Task, b.graph(run, w)
	if len(rep.members) == 0 || cmd.Lease.Rank > 0 || rep.outcome != engine.OutcomeSucceeded || int(task) >= len(w.state.Tasks) {
		return
	}
	if g.InExit(w.state, task) {
		cmd.Outcome, cmd.Cause, cmd.Final = engine.OutcomeFailed, engine.CauseUser, true
		return
	}
	node, ok := g.Template(w.state, task, templateName)
	if !ok {
		return
	}
	cmd.Members = slices.Clone(rep.members)
	for i := range cmd.Members {
		cmd.Members[i].Node = node
	}
}

func clamp(t, low, high time.Time) time.Time {
	t = t.Truncate(time.Millisecond)
	if t.Before(low) {
		return low
	}
	if t.After(high) {
		return high
	}
	return t
}

// applyLose ends the lease of a session that has ended; one that another session
// adopted meanwhile stays.
func (b *batch) applyLose(w *runWork, run id.UUID, c loseLease) {
	l := b.leases[c.lease]
	if l == nil || w.gone[c.lease] || l.session != c.session {
		return
	}
	_ = b.decideAs(w, run, engine.Report{
		Now: b.now, Lease: l.engine(), Finished: b.now, Outcome: engine.OutcomeLost, Live: b.live(run),
	})
}

func (b *batch) applyDue(w *runWork, run id.UUID, c dueTimer) {
	row, there := b.due[c.timerKey]
	if !there || row.attempt != c.attempt || row.at.After(b.now) || slices.Contains(w.fired, c.timerKey) {
		return
	}
	w.fired = append(w.fired, c.timerKey)
	switch c.kind {
	case timerRetry:
		b.applyRetryDue(w, c)
	case engine.TimerQueue.String():
		_ = b.decideAs(w, run, engine.QueueTimeout{Now: b.now, Task: c.task, Attempt: c.attempt, Live: b.live(run)})
	case engine.TimerDeadline.String():
		_ = b.decideAs(w, run, engine.Deadline{Now: b.now, Live: b.live(run)})
	case engine.TimerExitDeadline.String():
		_ = b.decideAs(w, run, engine.ExitDeadline{Now: b.now, Live: b.live(run)})
	case engine.TimerHold.String():
		_ = b.decideAs(w, run, engine.HoldOver{Now: b.now, Task: c.task, Live: b.live(run)})
	case engine.TimerGang.String():
		_ = b.decideAs(w, run, engine.GangTimeout{Now: b.now, Task: c.task, Attempt: c.attempt, Live: b.live(run)})
	case engine.TimerExpand.String():
		_ = b.decideAs(w, run, engine.Expand{Now: b.now, Task: c.task})
	default:
		b.r.w.violate("a timer of the unknown kind %q", c.kind)
	}
}

// applyRetryDue makes an attempt ready whose wait is over. That is no entry.
func (b *batch) applyRetryDue(w *runWork, c dueTimer) {
	if c.task < 0 || int(c.task) >= len(w.state.Tasks) {
		return
	}
	t := &w.state.Tasks[c.task]
	if t.State != engine.TaskOpen || t.Try() != c.attempt || w.state.Run == engine.RunPaused {
		return
	}
	w.opened[c.task] = engine.Opening{
		Task: c.task, Attempt: c.attempt, Asking: t.Asking, At: b.now,
		Avoid: engine.Avoid{Agent: t.AvoidAgent, Until: t.AvoidUntil.Time()},
	}
}

// decideAs runs a command and notes what it decides.
func (b *batch) decideAs(w *runWork, run id.UUID, c engine.Command) error {
	d, err := engine.Decide(b.graph(run, w), w.state, c)
	if err != nil {
		if _, refused := errors.AsType[*engine.Refusal](err); !refused {
			b.r.w.violate("the rules of run %s fail: %v", run, err)
		}
		return err
	}
	for i := range d.Entries {
		e := entryRow{Entry: d.Entries[i], generation: w.state.Generation, first: i == d.FirstStart}
		if e.EndsLease() {
			w.gone[e.Lease] = true
			if l := b.leases[e.Lease]; l != nil {
				b.tell = append(b.tell, l.session)
			}
		}
		w.entries = append(w.entries, e)
	}
	for _, t := range d.Closed {
		w.closed[t] = true
		delete(w.opened, t)
		delete(w.timers, timerKey{taskKey{run, t}, engine.TimerQueue.String()})
		delete(w.timers, timerKey{taskKey{run, t}, engine.TimerHold.String()})
	}
	for _, o := range d.Opened {
		w.opened[o.Task] = o
	}
	for _, t := range d.Timers {
		w.timers[timerKey{taskKey{run, t.Task}, t.Kind.String()}] = timerRow{t.Attempt, t.At}
	}
	w.stops = append(w.stops, d.Stop...)
	w.children, w.recalled = append(w.children, d.Children...), append(w.recalled, d.Recalled...)
	w.finished = d.Finished || (w.finished && d.Empty())
	return nil
}

func (b *batch) graph(run id.UUID, w *runWork) *engine.Graph {
	if w.start != nil {
		c := w.start.cmd.(startRun)
		return b.r.w.db.pipelines[c.pipeline].graphs[c.version]
	}
	return b.r.w.graph(b.r.w.db.runs[run])
}
