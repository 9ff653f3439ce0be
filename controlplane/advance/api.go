package advance

import (
	"context"
	"errors"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

// StartRun starts a run. Errors: NotFound, IDEMPOTENCY_MISMATCH, UNAVAILABLE.
func (a *Advancer) StartRun(ctx context.Context, c StartRun) (Started, error) {
	v, err := a.versions.get(ctx, c.Org, c.Pipeline, c.Digest)
	if err != nil {
		return Started{}, err
	}
	out, err := a.do(ctx, &request{cmd: c, version: v, run: id.New()})
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

// Fire serves a timer that is due. One whose row is gone does nothing.
func (a *Advancer) Fire(ctx context.Context, c Due) error { return a.act(ctx, c.RunKey, c) }

// Lose ends a lease whose session has ended.
func (a *Advancer) Lose(ctx context.Context, c Lose) error { return a.act(ctx, c.RunKey, c) }

// act queues a command about a run that is there already.
func (a *Advancer) act(ctx context.Context, key RunKey, cmd any) error {
	if _, err := a.ensure(ctx, key); err != nil {
		return err
	}
	_, err := a.do(ctx, &request{cmd: cmd})
	return err
}

// EndSession marks a session as ended; it reports whether it was alive and due.
func (a *Advancer) EndSession(ctx context.Context, c EndSession) (bool, error) {
	out, err := a.do(ctx, &request{cmd: c})
	a.Forget(c.Session)
	ended, _ := out.(bool)
	return ended, err
}

// Poll renews a session and waits for work. Errors: SESSION_EXPIRED.
func (a *Advancer) Poll(ctx context.Context, c Poll) (*Work, error) {
	s, err := a.session(ctx, c.Org, c.Agent, c.Session)
	if err != nil {
		return nil, err
	}
	r := &request{cmd: c, session: s, done: make(chan result, 1)}
	if !a.enqueue(r) {
		return nil, errUnavailable(errors.New("queue full"))
	}
	if c.Wait > 0 {
		return a.awaitPoll(ctx, r, c)
	}
	return a.answerOf(ctx, r)
}

// awaitPoll waits for a poll that may be parked: when its time is over it is
// taken out of the park, or, if a batch holds it, answered by that batch.
func (a *Advancer) awaitPoll(ctx context.Context, r *request, c Poll) (*Work, error) {
	leave := make(chan struct{})
	defer close(leave)
	go a.endWait(ctx, r, c, leave)
	return a.answerOf(ctx, r)
}

func (a *Advancer) answerOf(ctx context.Context, r *request) (*Work, error) {
	out, err := a.await(ctx, r)
	if err != nil {
		return nil, err
	}
	return out.(*Work), nil
}

// Report records the ends of attempts. The answer has a status for each.
func (a *Advancer) Report(ctx context.Context, c Report) (*Work, error) {
	s, err := a.session(ctx, c.Org, c.Agent, c.Session)
	if fault.ReasonOf(err) == "SESSION_EXPIRED" {
		// What ended under an older session still counts, if its lease lives;
		// only new work needs a living one.
		s, c.Free, err = nil, Free{}, nil
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
	out, err := a.do(ctx, &request{cmd: c, session: s})
	if err != nil {
		return nil, err
	}
	return out.(*Work), nil
}
