package advance

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

// settle answers everybody, after the commit.
func (a *Advancer) settle(ctx context.Context, b *batch) {
	defer func() {
		if p := recover(); p != nil {
			a.log.LogAttrs(ctx, slog.LevelError, "answers were lost", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			err := errUnavailable(fmt.Errorf("panic in an answer: %v", p))
			refuse(b.reqs, err)
			for _, w := range b.borrowed {
				a.park.restore(w, true)
				w.req.answer(nil, err)
			}
			a.park.end()
		}
	}()
	a.keep(ctx, b)
	a.know(b)
	a.learn(ctx, b)
	a.pass(b)
	var late []*reply
	for _, t := range b.takers {
		if t.waiter == nil {
			continue
		}
		answered := len(t.leases) > 0
		if answered {
			late = append(late, b.replyTo(t.waiter.req, t, nil))
		}
		a.park.restore(t.waiter, answered)
	}
	for _, r := range b.reqs {
		late = append(late, a.settleOne(b, r))
	}
	a.park.end()
	a.goOn(b)
	for s := range b.wakeSessions {
		a.park.wake(s)
	}
	for _, l := range b.again {
		if a.park.waits(l.pool, l.classes) {
			a.queue.look(l)
		}
	}
	a.lookForLimits(b)
	a.sayGathers(ctx, b.gathers)
	a.listenAround(ctx)
	a.send(ctx, late)
}

// keep puts runs that began into the cache, and drops those that ended.
func (a *Advancer) keep(ctx context.Context, b *batch) {
	for key, w := range b.runs {
		switch {
		case w.failed != nil:
			level := slog.LevelError
			if fault.KindOf(w.failed) == fault.KindUnavailable || fault.ReasonOf(w.failed) == reasonArchived {
				level = slog.LevelInfo
			}
			a.log.LogAttrs(ctx, level, "a run's commands failed", slog.String("run_id", id.Format(id.Run, key.Run)), slog.Any("error", w.failed))
		case w.run == nil:
		case w.finished || w.state.Run.Terminal():
			a.runs.drop(key)
		case w.start != nil:
			a.runs.put(w.run)
		case len(w.state.Tasks) != w.weight:
			a.runs.grown(w.run)
		}
	}
}

// goOn queues what follows at once: the next items of maps. A timer stands for
// each, should this replica not get there.
func (a *Advancer) goOn(b *batch) {
	for key, w := range b.runs {
		if w.run == nil || w.failed != nil || w.finished {
			continue
		}
		for k, t := range w.timers {
			if k.kind == engine.TimerExpand.String() {
				r := newRequest(Due{RunKey: key, Kind: k.kind, Task: t.Task, Attempt: t.Attempt})
				_ = a.queue.add(r) // a full queue: the timer will
			}
		}
	}
}

// settleOne parks a poll that found nothing, or makes the answer to a request;
// nil when there is none to send yet.
func (a *Advancer) settleOne(b *batch, r *request) *reply {
	if r.err != nil {
		r.answer(nil, r.err)
		return nil
	}
	switch c := r.cmd.(type) {
	case Poll:
		found, _ := r.value.(listing)
		out := b.replyTo(r, b.takerOf[r], found.resend)
		out.work.Orders = found.orders
		if len(out.work.Leases) == 0 && len(out.work.Orders) == 0 && c.Wait > 0 {
			if a.park.add(&waiter{poll: c, session: r.session, req: r}) {
				a.queue.look(look{org: c.Org, pool: r.session.pool})
			}
			return nil
		}
		return out
	case StartRun:
		b.stand(r)
	case Report:
		for i, status := range r.status {
			if status == ReportAccepted && r.session != nil {
				r.session.tell(c.Reports[i].Lease)
			}
		}
		out := b.replyTo(r, b.takerOf[r], nil)
		out.work.Status = r.status
		return out
	}
	r.answer(r.value, nil)
	return nil
}

// stand adds to the answer to a start how its run stands. What a run waits for is
// not known here.
func (b *batch) stand(r *request) {
	out, ok := r.value.(Started)
	if !ok || !out.Created {
		return
	}
	w := b.runs[RunKey{r.org(), out.Run}]
	if w == nil || w.run == nil || w.failed != nil || w.state.Run == engine.RunPending {
		return
	}
	s := w.state
	out.Standing = &Standing{
		Digest: w.info.digest, Labels: w.info.labels, Priority: w.info.priority,
		Number: w.info.number, Seq: s.Seq, State: s.Run.String(), Reason: s.Reason, Outcome: outcomeText(s), Generation: s.Generation,
		CreatedAt: w.info.createdAt, StartedAt: s.StartedAt, TasksTotal: w.version.graph.Total(), TasksDone: w.version.graph.Done(s), TasksFailed: s.Failed(),
	}
	if s.Run.Terminal() {
		out.Standing.FinishedAt = s.FinishedAt
	}
	r.value = out
}

// send answers at once where everything is known, and reads what is not for the
// others: the next batch does not wait for that.
func (a *Advancer) send(ctx context.Context, replies []*reply) {
	var late []*reply
	for _, p := range replies {
		switch {
		case p == nil:
		case p.complete():
			p.req.answer(p.work, nil)
		default:
			late = append(late, p)
		}
	}
	if len(late) > 0 {
		ctx = context.WithoutCancel(ctx) // it ends with the batch
		a.running.Go(func() { a.complete(ctx, late) })
	}
}
