package advance

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func errRunGone(key RunKey) error { return fault.NotFound("run", id.Format(id.Run, key.Run)) }

// apply turns one op into an engine command and records what it decides.
func (b *batch) apply(w *runWork, o op) error {
	switch c := o.req.cmd.(type) {
	case StartRun:
		return b.applyStart(w, o.req, c)
	case Report:
		return b.applyReport(w, o, c, &c.Reports[o.index])
	case CancelRun:
		return b.decideAs(w, engine.Cancel{Now: b.now, Actor: c.Actor, Reason: c.Reason, Force: c.Force, Live: b.live(w)}, nil)
	case RetryRun:
		return b.decideAs(w, engine.Retry{Now: b.now, Actor: c.Actor, Generation: c.Generation}, nil)
	case Due:
		return b.applyDue(w, c)
	case Lose:
		return b.applyLose(w, c)
	}
	return fmt.Errorf("command %T is unknown", o.req.cmd)
}

func (b *batch) applyStart(w *runWork, r *request, c StartRun) error {
	if c.Key != "" {
		known := b.keys[startKey{c.Org, c.Pipeline, c.Key}]
		if known == nil {
			return fault.Unavailable(reasonUnavailable, "the start could not be recorded; send it again")
		}
		if subtle.ConstantTimeCompare(known.fingerprint, c.Fingerprint[:]) != 1 {
			return fault.Conflict("IDEMPOTENCY_MISMATCH", "the idempotency key %q started another run of this pipeline, with other params, labels or version", c.Key)
		}
		if known.run != r.run {
			r.value = Started{Run: known.run}
			w.isNew = false
			return nil
		}
	}
	pk := pipelineKey{c.Org, c.Pipeline}
	number, ok := b.counts[pk]
	if !ok {
		return fault.NotFound("pipeline", id.Format(id.Pipeline, c.Pipeline))
	}
	p := r.version.graph.Plan
	w.run = &run{
		key: RunKey{c.Org, r.run}, version: r.version, state: engine.NewState(r.run),
		info: runInfo{
			workspace: c.Workspace, pipeline: c.Pipeline, digest: c.Digest, number: number,
			labelSet: c.LabelSet, labels: c.Labels, priority: c.Priority, createdAt: b.now,
		},
	}
	if p.Deadline > 0 {
		w.info.deadline = b.now.Add(millis(p.Deadline))
	}
	w.start = r
	if err := b.decideAs(w, engine.Start{Now: b.now, Actor: c.Actor}, nil); err != nil {
		return err
	}
	b.counts[pk] = number + 1
	r.value = Started{Run: r.run, Created: true}
	return nil
}

func (b *batch) applyReport(w *runWork, o op, c Report, rep *AttemptReport) error {
	l := b.leases[rep.Lease]
	if w.gone[rep.Lease] {
		o.req.status[o.index] = ReportAccepted // twice in one batch
		return nil
	}
	if l == nil || l.org != c.Org || l.agent != c.Agent || l.run != rep.Run {
		return nil // answered from the journal: see settle
	}
	finished := clamp(b.now.Add(-rep.Ago), l.grantedAt, b.now)
	lease := l.engine()
	lease.Started = time.Time{}
	if rep.Started {
		lease.Started = clamp(finished.Add(-rep.Duration), l.grantedAt, finished)
	}
	cmd := engine.Report{
		Now: b.now, Lease: lease, Finished: finished, Outcome: rep.Outcome, Cause: rep.Cause,
		ExitCode: rep.ExitCode, Final: rep.Final, Reason: rep.Reason,
	}
	if w.version.graph.StopsOnFailure() {
		cmd.Live = b.live(w, l.id)
	}
	if err := b.decideAs(w, cmd, rep.Body); err != nil {
		if isRefusal(err) {
			o.req.status[o.index] = ReportStale
			return nil
		}
		return err
	}
	o.req.status[o.index] = ReportAccepted
	return nil
}

// applyLose ends the lease of a session that has ended. A lease that is gone,
// or was adopted by another session meanwhile, stays as it is.
func (b *batch) applyLose(w *runWork, c Lose) error {
	l := b.leases[c.Lease]
	if l == nil || w.gone[c.Lease] || l.session != c.Session {
		return nil
	}
	cmd := engine.Report{Now: b.now, Lease: l.engine(), Finished: b.now, Outcome: engine.OutcomeLost}
	if w.version.graph.StopsOnFailure() {
		cmd.Live = b.live(w, l.id)
	}
	return b.decideAs(w, cmd, nil)
}

func (b *batch) applyDue(w *runWork, c Due) error {
	w.fired = append(w.fired, timerKey{c.Kind, c.Task})
	switch c.Kind {
	case "retry":
		t := &w.state.Tasks[c.Task]
		if w.state.Run.Terminal() || t.State != engine.TaskOpen || t.Attempt != c.Attempt {
			return nil
		}
		w.opened[c.Task] = engine.Opening{
			Task: c.Task, Attempt: c.Attempt, At: b.now,
			Avoid: engine.Avoid{Agent: t.AvoidAgent, Until: t.AvoidUntil.Time()},
		}
		return nil
	case engine.TimerQueue.String():
		return b.decideAs(w, engine.QueueTimeout{Now: b.now, Task: c.Task, Attempt: c.Attempt, Live: b.live(w)}, nil)
	case engine.TimerDeadline.String():
		return b.decideAs(w, engine.Deadline{Now: b.now, Live: b.live(w)}, nil)
	case engine.TimerExitDeadline.String():
		return b.decideAs(w, engine.ExitDeadline{Now: b.now, Live: b.live(w)}, nil)
	}
	return fmt.Errorf("timer kind %q is unknown", c.Kind)
}

// decideAs runs a command and adds its decision to the run's part of the batch.
func (b *batch) decideAs(w *runWork, c engine.Command, body []byte) error {
	d, err := engine.Decide(w.version.graph, w.state, c)
	if err != nil {
		return refusalFault(err)
	}
	for i := range d.Entries {
		e := entryRow{Entry: d.Entries[i], generation: w.state.Generation, firstStart: i == d.FirstStart}
		if e.Task >= 0 {
			e.path = w.version.graph.Plan.Tasks[e.Task].Name
		}
		if e.Kind == engine.KindAttemptEnded {
			e.lease = b.leases[e.Lease]
			w.gone[e.Lease] = true
			if i == 0 {
				e.body = body
			}
		}
		w.entries = append(w.entries, e)
	}
	for _, t := range d.Closed {
		w.closed[t] = true
		delete(w.opened, t)
		delete(w.timers, timerKey{engine.TimerQueue.String(), t})
	}
	for _, op := range d.Opened {
		w.opened[op.Task] = op
	}
	for _, t := range d.Timers {
		w.timers[timerKey{t.Kind.String(), t.Task}] = t
	}
	w.stops = append(w.stops, d.Stop...)
	w.changed = w.changed || d.RunChanged
	w.finished = d.Finished || (w.finished && d.Empty())
	return nil
}

// live lists the run's leases that this batch has not ended, except one.
func (b *batch) live(w *runWork, except ...int64) []engine.Lease {
	var out []engine.Lease
	for _, l := range b.byRun[w.key] {
		if w.gone[l.id] || (len(except) > 0 && l.id == except[0]) {
			continue
		}
		out = append(out, l.engine())
	}
	return out
}

func isRefusal(err error) bool {
	var r *engine.Refusal
	return errors.As(err, &r)
}

// refusalFault gives a rule's refusal the code that clients see.
func refusalFault(err error) error {
	var r *engine.Refusal
	if !errors.As(err, &r) {
		return err
	}
	reason := fault.Reason(r.Reason)
	if r.Reason == engine.RefusedRunActive {
		reason = "RUN_NOT_TERMINAL"
	}
	return fault.FailedPrecondition(reason, "%s", r.Text).Because(err)
}

func millis(m plan.Millis) time.Duration { return time.Duration(m) * time.Millisecond }

func clamp(t, low, high time.Time) time.Time {
	t = t.Truncate(time.Millisecond)
	if t.Before(low) {
		t = low
	}
	if t.After(high) {
		t = high
	}
	return t
}
