package advance

import (
	"time"

	"github.com/signalboxhq/signalbox/controlplane/report"
	"github.com/signalboxhq/signalbox/proto/id"
)

// How long a session lives without a request: 30 s, and what a renewal may lag
// behind. Renewing only when it has lost two seconds keeps a busy agent's row
// from being written at every hop.
const (
	sessionTTL   = 32 * time.Second
	renewalSlack = 2 * time.Second
	// SessionTTL is what agents are told.
	SessionTTL = sessionTTL - renewalSlack
)

// resendAfter is how old a lease must be that its agent does not list, until it
// counts as lost on the way.
const resendAfter = 5 * time.Second

// endByForce ends the sessions that somebody wants to end: before anything is
// given to them.
func (b *batch) endByForce() {
	for _, r := range b.reqs {
		if c, ok := r.cmd.(EndSession); ok && c.Force {
			r.value = b.end(b.living[c.Session], c)
		}
	}
}

// end marks a session as ended; it reports whether it was alive. Whoever waits
// in its name asks again, and hears of it.
func (b *batch) end(s *sessionRow, c EndSession) bool {
	if s == nil || s.ended || s.org != c.Org {
		return false
	}
	s.ended = true
	b.ended = append(b.ended, s)
	b.wakeSessions[s.id] = true
	return true
}

// heartbeats renews the sessions of this batch's requests, compares what agents
// say they hold with what the rows say, and then ends what has expired. It comes
// after the rules: a lease that is reported in the same batch is not sent again.
func (b *batch) heartbeats() {
	renewed := map[id.UUID]bool{}
	for _, r := range b.reqs {
		switch c := r.cmd.(type) {
		case Poll:
			b.heartbeat(r, c, renewed)
		case Report:
			if s := b.living[c.Session]; s != nil && !s.ended {
				b.renewSession(s, renewed, false)
			} else if r.session != nil {
				b.a.Forget(c.Session)
			}
		}
	}
	for _, r := range b.reqs {
		c, ok := r.cmd.(EndSession)
		if !ok || c.Force {
			continue
		}
		s := b.living[c.Session]
		r.value = s != nil && s.expiresAt.Before(b.now) && !renewed[s.id] && b.end(s, c)
	}
}

func (b *batch) heartbeat(r *request, c Poll, renewed map[id.UUID]bool) {
	s := b.living[c.Session]
	if s == nil || s.ended {
		b.a.Forget(c.Session)
		r.err = errSessionExpired()
		return
	}
	changed := s.draining != c.Draining
	s.draining = c.Draining
	b.renewSession(s, renewed, changed)
	if c.ListsLeases {
		r.value = b.compare(r, c)
	}
}

func (b *batch) renewSession(s *sessionRow, renewed map[id.UUID]bool, changed bool) {
	if !renewed[s.id] && (changed || s.expiresAt.Before(b.now.Add(sessionTTL-renewalSlack))) {
		renewed[s.id] = true
		b.renew = append(b.renew, s)
	}
}

// listing is what comparing an agent's leases with ours found.
type listing struct {
	orders []Order
	resend []*leaseRow
}

// compare tells an agent what to do with what it holds, and sends again what it
// should hold: the answer that carried it was lost, and nothing else would ever
// end it. What is sent again takes its part of what the agent has free.
func (b *batch) compare(r *request, c Poll) listing {
	var out listing
	rows := make(map[int64]*leaseRow, len(b.listed[c.Session]))
	for _, l := range b.listed[c.Session] {
		if !b.endedHere(l) {
			rows[l.id] = l
		}
	}
	held := make(map[int64]bool, len(c.Held))
	for _, h := range c.Held {
		held[h.Lease] = true
		l := rows[h.Lease]
		if l == nil && (b.reported[h.Lease] || r.session.told(h.Lease)) {
			continue // it crossed the report of its end: its agent knows
		}
		if l == nil {
			out.orders = append(out.orders, Order{Lease: h.Lease, Action: ActionStale})
			continue
		}
		switch l.stop {
		case "stop":
			out.orders = append(out.orders, Order{Lease: l.id, Action: ActionStop, Grace: time.Duration(l.graceMS) * time.Millisecond})
		case "kill":
			out.orders = append(out.orders, Order{Lease: l.id, Action: ActionKill})
		}
		b.tellPhase(l, h)
	}
	for _, l := range b.listed[c.Session] {
		if rows[l.id] != nil && !held[l.id] && b.now.Sub(l.grantedAt) > resendAfter {
			out.resend = append(out.resend, l)
			if t := b.takerOf[r]; t != nil {
				t.free = b.a.versions.without(t.free, l)
			}
		}
	}
	return out
}

func (b *batch) endedHere(l *leaseRow) bool {
	w := b.runs[RunKey{l.org, l.run}]
	return w != nil && w.failed == nil && w.gone[l.id]
}

func (b *batch) tellPhase(l *leaseRow, h Held) {
	if h.Phase == "" || (h.Phase == l.phase && (!h.Started || l.startedAt != nil)) {
		return
	}
	started := l.startedAt
	if h.Started && started == nil {
		t := report.Clamp(b.now.Add(-h.Since), l.grantedAt, b.now)
		started = &t
	}
	b.phases = append(b.phases, phaseChange{org: l.org, lease: l.id, phase: h.Phase, started: started})
}
