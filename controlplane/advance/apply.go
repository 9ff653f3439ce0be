package advance

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
		return b.decideAs(w, engine.Cancel{Now: b.now, Actor: clean(c.Actor), Reason: clean(c.Reason), Force: c.Force, Live: b.live(w)}, nil)
	case RetryRun:
		return b.applyRetry(w, c)
	case Wake:
		return b.applyWake(w, o.req, c)
	case PauseRun:
		return b.applyPause(w, c)
	case ResumeRun:
		return b.applyResume(w, c)
	case SignalRun:
		return b.applySignal(w, c)
	case Vote:
		return b.applyVote(w, c)
	case Due:
		return b.applyDue(w, o.req, c)
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
		if known.run != r.run {
			started, err := b.known(r, c, known)
			if err != nil || started != nil {
				w.isNew = false
				if started != nil {
					r.value = *started
				}
				return err
			}
		}
	}
	if err := b.create(w, r, c); err != nil {
		return err
	}
	r.value = Started{Run: r.run, Created: true}
	return nil
}

// create makes a run.
func (b *batch) create(w *runWork, r *request, c StartRun) error {
	count := b.counts[pipelineKey{c.Org, c.Pipeline}]
	if c.Deployed && (count == nil || !bytes.Equal(count.deployed, c.Digest[:])) {
		return ErrMoved
	}
	if count == nil {
		return fault.NotFound("pipeline", id.Format(id.Pipeline, c.Pipeline))
	}
	p := r.version.graph.Plan
	w.run = &run{
		key: RunKey{c.Org, r.run}, version: r.version, state: engine.NewState(r.run),
		info: runInfo{
			workspace: c.Workspace, pipeline: c.Pipeline, digest: c.Digest, number: count.next,
			labelSet: c.LabelSet, labels: c.Labels, priority: c.Priority, createdAt: b.now, actor: c.Actor, line: c.Line,
			parent: c.Parent, fire: c.Fire,
		},
	}
	if p.Deadline > 0 {
		w.info.deadline = b.now.Add(millis(p.Deadline))
	}
	w.start, r.start = r, &c
	if c.Seed != nil {
		if err := b.decideAs(w, engine.Sow{Now: b.now, Actor: clean(c.Actor), Seed: c.Seed}, nil); err != nil {
			return err
		}
	}
	if err := b.come(w, c.At, clean(c.Actor)); err != nil {
		w.start, w.run = nil, nil
		return err
	}
	count.next++
	return nil
}

// applyRetry: a run that stands in a line must have its place there.
func (b *batch) applyRetry(w *runWork, c RetryRun) error {
	then := func() {}
	if c.Generation == 0 || c.Generation == w.state.Generation {
		var err error
		if then, err = b.rejoin(w); err != nil {
			return err
		}
	}
	before := w.state.Generation
	err := b.decideAs(w, engine.Retry{Now: b.now, Actor: clean(c.Actor), Generation: c.Generation}, nil)
	if err == nil && w.state.Generation > before {
		then()
	}
	return err
}

func (b *batch) applyReport(w *runWork, o op, c Report, rep *AttemptReport) error {
	l := b.leases[rep.Lease]
	if l == nil || l.org != c.Org || l.agent != c.Agent || l.run != rep.Run {
		return nil // answered from the journal: see settle
	}
	if w.gone[rep.Lease] {
		o.req.status[o.index] = ReportAccepted // twice in one batch
		return nil
	}
	rep.Reason = clean(rep.Reason)
	cmd := rep.Command(w.version.graph, w.state, b.now, l.engine())
	if w.version.graph.StopsOnFailure() {
		cmd.Live = b.live(w)
	}
	if err := b.decideAs(w, cmd, rep.Body); err != nil {
		if isRefusal(err) {
			o.req.status[o.index] = ReportStale
			return nil
		}
		return err
	}
	o.req.status[o.index] = ReportAccepted
	b.reported[rep.Lease] = true
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
		cmd.Live = b.live(w)
	}
	return b.decideAs(w, cmd, nil)
}

// applyDue serves a timer whose row is there, and due. One that was served, or
// set anew meanwhile, does nothing and stays.
func (b *batch) applyDue(w *runWork, r *request, c Due) error {
	key := timerKey{c.Kind, c.Task}
	row, there := b.due[dueKey{w.key, key}]
	if !there || row.attempt != c.Attempt || row.at.After(b.now) || slices.Contains(w.fired, key) {
		return nil
	}
	w.fired = append(w.fired, key)
	switch c.Kind {
	case timerRetry:
		return b.applyRetryDue(w, c)
	case engine.TimerQueue.String():
		return b.decideAs(w, engine.QueueTimeout{Now: b.now, Task: c.Task, Attempt: c.Attempt, Missing: c.missing, Live: b.live(w)}, nil)
	case engine.TimerDeadline.String():
		return b.decideAs(w, engine.Deadline{Now: b.now, Live: b.live(w)}, nil)
	case engine.TimerExpand.String():
		return b.applyExpand(w, r, c)
	case engine.TimerExitDeadline.String():
		return b.decideAs(w, engine.ExitDeadline{Now: b.now, Live: b.live(w)}, nil)
	case engine.TimerGang.String():
		return b.decideAs(w, engine.GangTimeout{Now: b.now, Task: c.Task, Attempt: c.Attempt, Live: b.live(w)}, nil)
	case engine.TimerHold.String():
		return b.decideAs(w, engine.HoldOver{Now: b.now, Task: c.Task, Live: b.live(w)}, nil)
	}
	return fmt.Errorf("timer kind %q is unknown", c.Kind)
}

// timerRetry is the kind of an attempt that waits; the engine names the others.
const timerRetry = "retry"

// applyRetryDue makes an attempt ready whose wait is over. That is no entry.
func (b *batch) applyRetryDue(w *runWork, c Due) error {
	if c.Task < 0 || int(c.Task) >= len(w.state.Tasks) {
		return fmt.Errorf("task %d of a timer does not exist", c.Task)
	}
	t := &w.state.Tasks[c.Task]
	if t.State != engine.TaskOpen || t.Try() != c.Attempt || w.state.Run == engine.RunPaused {
		return nil
	}
	w.opened[c.Task] = opened{queued: true, Opening: engine.Opening{
		Task: c.Task, Attempt: c.Attempt, Asking: t.Asking, At: b.now,
		Avoid: engine.Avoid{Agent: t.AvoidAgent, Until: t.AvoidUntil.Time()},
	}}
	return nil
}

// decideAs runs a command and adds its decision to the run's part of the batch.
// An error that is no refusal may have left the state half-way.
func (b *batch) decideAs(w *runWork, c engine.Command, body []byte) error {
	d, err := engine.Decide(w.version.graph, w.state, c)
	if err != nil {
		if !isRefusal(err) {
			err = fmt.Errorf("decide: %w", err)
			b.spoil(w, w.key, err)
		}
		return refusalFault(err)
	}
	report, reported := c.(engine.Report)
	for i := range d.Entries {
		e := entryRow{Entry: d.Entries[i], generation: w.state.Generation, firstStart: i == d.FirstStart}
		if e.Task >= 0 {
			e.path = w.version.graph.Path(w.state, e.Task)
		}
		if _, told := c.(engine.ChildEnded); told && i == 0 {
			e.body = body
		}
		if e.Kind == engine.KindSignalReceived {
			e.body = body
		}
		w.bodyOf(&e)
		if e.detail, err = e.Detail.Encode(); err != nil {
			b.spoil(w, w.key, err)
			return err
		}
		if e.EndsLease() {
			w.gone[e.Lease] = true
			if reported && e.Lease == report.Lease.ID {
				e.body = body
			} else if l := b.leases[e.Lease]; l != nil {
				w.fenced = append(w.fenced, l)
			}
		}
		w.entries = append(w.entries, e)
	}
	for _, t := range d.Closed {
		w.closed[t] = true
		delete(w.opened, t)
		delete(w.timers, timerKey{engine.TimerQueue.String(), t})
		delete(w.timers, timerKey{engine.TimerHold.String(), t})
	}
	w.noteApprovals(&d)
	b.callChildren(w, &d)
	for _, o := range d.Opened {
		by := report.Lease.Agent // id.Nil where nobody reported
		if o.Avoid.Agent == by {
			by = id.Nil
		}
		w.opened[o.Task] = opened{Opening: o, by: by}
	}
	for _, t := range d.Timers {
		w.timers[timerKey{t.Kind.String(), t.Task}] = t
	}
	w.stops = append(w.stops, d.Stop...)
	w.finished = d.Finished || (w.finished && d.Empty())
	return nil
}

// live lists the run's leases as they were locked. Those that this batch has
// ended stay in: their attempts are not open any more, and the rules look leases
// up by attempt. Members of a gang do not: its attempt may go on without them.
func (b *batch) live(w *runWork) []engine.Lease {
	rows := b.byRun[w.key]
	if len(w.live) == 0 && len(rows) > 0 {
		w.live = make([]engine.Lease, len(rows))
		for i, l := range rows {
			w.live[i] = l.engine()
		}
	}
	if w.version.gangs && len(w.gone) > 0 {
		return slices.DeleteFunc(slices.Clone(w.live), func(l engine.Lease) bool { return l.Gang > 0 && w.gone[l.ID] })
	}
	return w.live
}

// clean makes a text fit for the database, whatever somebody sent: PostgreSQL
// takes neither a zero byte nor half a character, and a report that can never
// be recorded would be sent for ever.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func isRefusal(err error) bool {
	var r *engine.Refusal
	return errors.As(err, &r)
}

// refusalKinds are those that are no failed precondition.
var refusalKinds = map[engine.RefusalReason]func(fault.Reason, string, ...any) *fault.Error{
	engine.RefusedFourEyes:      fault.PermissionDenied,
	engine.RefusedSignalLimit:   fault.ResourceExhausted,
	engine.RefusedSignalUnknown: fault.Invalid,
	engine.RefusedNotApproval:   fault.Invalid,
}

// refusalFault gives a rule's refusal the code that clients see.
func refusalFault(err error) error {
	var r *engine.Refusal
	if !errors.As(err, &r) {
		return err
	}
	reason := fault.Reason(r.Reason)
	if kind := refusalKinds[r.Reason]; kind != nil {
		return kind(reason, "%s", r.Text).Because(err)
	}
	if r.Reason == engine.RefusedRunActive {
		reason = "RUN_NOT_TERMINAL"
	}
	return fault.FailedPrecondition(reason, "%s", r.Text).Because(err)
}

func millis(m plan.Millis) time.Duration { return time.Duration(m) * time.Millisecond }
