package local

import (
	"context"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

// soon notes that something is due at a moment. The lock is held.
func (p *Plane) soon(at time.Time) {
	if p.next.IsZero() || at.Before(p.next) {
		p.next = at
	}
}

// Tick serves timers until ctx ends.
func (p *Plane) Tick(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		p.mu.Lock()
		next, changed := p.next, p.changed
		p.mu.Unlock()
		wait := time.Hour
		if !next.IsZero() {
			wait = max(next.Sub(p.config.Now()), 0)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-timer.C:
			_ = p.act(func() error { return nil })
		}
	}
}

// fire serves what is due, and finds out when the next thing is. The lock is held.
func (p *Plane) fire() {
	now := p.now()
	p.next = time.Time{}
	for _, r := range p.order {
		if r.state.Run.Terminal() {
			continue
		}
		for task, o := range r.opened {
			switch {
			case o.queued:
			case o.At.After(now):
				p.soon(o.At)
			default:
				p.enqueue(r, task, o)
			}
		}
		for key, t := range r.timers {
			if t.At.After(now) {
				p.soon(t.At)
				continue
			}
			delete(r.timers, key)
			if err := p.decide(r, p.due(r, t, now), nil); err != nil && !isRefusal(err) {
				return
			}
		}
	}
}

// due is the command that a timer becomes.
func (p *Plane) due(r *run, t engine.Timer, now time.Time) engine.Command {
	switch t.Kind {
	case engine.TimerQueue:
		return engine.QueueTimeout{Now: now, Task: t.Task, Attempt: t.Attempt, Missing: p.missing(r, t.Task), Live: p.live(r)}
	case engine.TimerDeadline:
		return engine.Deadline{Now: now, Live: p.live(r)}
	case engine.TimerExitDeadline:
		return engine.ExitDeadline{Now: now, Live: p.live(r)}
	case engine.TimerExpand:
		return engine.Expand{Now: now, Task: t.Task}
	case engine.TimerHold:
		return engine.HoldOver{Now: now, Task: t.Task, Live: p.live(r)}
	case engine.TimerGang: // set by whoever grants a gang's leases, which nobody does here
	}
	return nil
}
