package advance

import (
	"context"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/waitdb"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

// StartRun starts a run. Errors: NotFound, IDEMPOTENCY_MISMATCH, UNAVAILABLE,
// INVALID_ARGUMENT for a key that is no text.
func (a *Advancer) StartRun(ctx context.Context, c StartRun) (Started, error) {
	if clean(c.Key) != c.Key {
		return Started{}, fault.Invalid("INVALID_ARGUMENT", "the idempotency key must be text")
	}
	c.Actor = clean(c.Actor)
	v, err := a.versions.get(ctx, c.Org, c.Pipeline, c.Digest)
	if err != nil {
		return Started{}, err
	}
	if err := a.declared(ctx, c, v); err != nil {
		return Started{}, err
	}
	r := newRequest(c)
	r.version, r.run = v, id.New()
	r.rows += 2 + v.first // the run, its entry, what is ready
	out, err := a.do(ctx, r)
	if err != nil {
		return Started{}, err
	}
	return out.(Started), nil
}

// CancelRun cancels a run. Errors: NotFound, RUN_TERMINAL, RUN_FINALIZING.
func (a *Advancer) CancelRun(ctx context.Context, c CancelRun) error { return a.act(ctx, c.RunKey, c) }

// RetryRun opens a new generation. Errors: NotFound, RUN_NOT_TERMINAL,
// NOTHING_TO_RETRY.
func (a *Advancer) RetryRun(ctx context.Context, c RetryRun) error { return a.act(ctx, c.RunKey, c) }

// UnblockLine lets a line go on that a failed run holds up. One that is held up
// by nobody stays as it is.
func (a *Advancer) UnblockLine(ctx context.Context, c UnblockLine) error {
	_, err := a.do(ctx, newRequest(c))
	return err
}

// Fire serves a timer that is due. One whose row is gone does nothing.
func (a *Advancer) Fire(ctx context.Context, c Due) error {
	if c.Kind == engine.TimerQueue.String() {
		c.missing = a.missing(ctx, c)
	}
	return a.act(ctx, c.RunKey, c)
}

// missing says what a task lacked that nobody took in time; empty if that cannot
// be told.
func (a *Advancer) missing(ctx context.Context, c Due) string {
	now := time.Now()
	waits, err := waitdb.Read(ctx, a.pool, now, c.Org, c.Run, &c.Task)
	if err != nil {
		return ""
	}
	for _, w := range waits {
		return w.Missing(now)
	}
	return ""
}

// Lose ends a lease whose session has ended.
func (a *Advancer) Lose(ctx context.Context, c Lose) error { return a.act(ctx, c.RunKey, c) }

// act queues a command about a run that is there already.
func (a *Advancer) act(ctx context.Context, key RunKey, cmd any) error {
	known, err := a.ensure(ctx, key)
	if err != nil {
		return err
	}
	r := newRequest(cmd)
	switch cmd.(type) {
	case CancelRun, RetryRun, PauseRun, ResumeRun:
		r.rows += len(known.version.tasks)
	}
	_, err = a.do(ctx, r)
	return err
}

// EndSession marks a session as ended; it reports whether it was alive and due.
func (a *Advancer) EndSession(ctx context.Context, c EndSession) (bool, error) {
	out, err := a.do(ctx, newRequest(c))
	a.Forget(c.Session)
	ended, _ := out.(bool)
	return ended, err
}

// Poll renews a session and waits for work. Errors: SESSION_EXPIRED, *ElsewhereError.
func (a *Advancer) Poll(ctx context.Context, c Poll) (*Work, error) {
	s, err := a.session(ctx, c.Org, c.Agent, c.Session)
	if err != nil {
		return nil, err
	}
	if err := a.elsewhere(s, &c); err != nil {
		return nil, err
	}
	r := newRequest(c)
	r.session = s
	r.calm = s.calm.Swap(false) && c.Wait > 0 && len(c.Held) == 0 && !c.Draining
	if err := a.queue.add(r); err != nil {
		return nil, err
	}
	return a.awaitPoll(ctx, r, &c)
}

// awaitPoll waits for the answer to a poll. When its time is over, or there is
// news from elsewhere, it is taken out of the park; if a batch holds it, that
// batch answers it. A caller who has gone takes it out, too.
func (a *Advancer) awaitPoll(ctx context.Context, r *request, c *Poll) (*Work, error) {
	var over <-chan time.Time
	var wake <-chan struct{}
	waited := false
	if c.Wait > 0 {
		timer := time.NewTimer(c.Wait)
		defer timer.Stop()
		over, wake = timer.C, c.Wake
	}
	for {
		select {
		case out := <-r.done:
			if out.err != nil {
				return nil, out.err
			}
			work := out.value.(*Work)
			r.session.calm.Store(waited && len(work.Leases)+len(work.Orders) == 0)
			return work, nil
		case <-ctx.Done():
			a.park.expire(c.Session, r)
			return nil, ctx.Err()
		case <-over:
			waited = true
		case <-wake:
		}
		over, wake = nil, nil
		a.park.expire(c.Session, r)
	}
}

// Report records the ends of attempts. The answer has a status for each.
func (a *Advancer) Report(ctx context.Context, c Report) (*Work, error) {
	s, err := a.session(ctx, c.Org, c.Agent, c.Session)
	if fault.ReasonOf(err) == "SESSION_EXPIRED" {
		// What ended under an older session still counts, if its lease lives;
		// only new work needs a living one. It may be another agent's: it must
		// not be renewed.
		s, c.Free, c.Session, err = nil, Free{}, id.Nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range c.Reports {
		// A run that is gone leaves its report to be answered as stale.
		_, err := a.ensure(ctx, RunKey{c.Org, c.Reports[i].Run})
		if err != nil && fault.KindOf(err) != fault.KindNotFound {
			return nil, err
		}
	}
	r := newRequest(c)
	r.session = s
	out, err := a.do(ctx, r)
	if err != nil {
		return nil, err
	}
	return out.(*Work), nil
}
