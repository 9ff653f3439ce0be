package advance

import (
	"time"

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

// heartbeats renews the sessions of this batch's requests, and compares what
// agents say they hold with what the rows say.
func (b *batch) heartbeats() {
	renewed := map[id.UUID]bool{}
	for _, r := range b.reqs {
		var sid id.UUID
		draining, isPoll := false, false
		switch c := r.cmd.(type) {
		case Poll:
			sid, draining, isPoll = c.Session, c.Draining, true
		case Report:
			sid = c.Session
		default:
			continue
		}
		s := b.living[sid]
		if s == nil || s.ended {
			b.a.Forget(sid)
			if isPoll {
				r.err = errSessionExpired()
			}
			continue
		}
		changed := isPoll && s.draining != draining
		if changed {
			s.draining = draining
		}
		if !renewed[sid] && (changed || s.expiresAt.Before(b.now.Add(sessionTTL-renewalSlack))) {
			renewed[sid] = true
			b.renew = append(b.renew, s)
		}
		if c, ok := r.cmd.(Poll); ok && c.ListsLeases {
			r.value = b.compare(c)
		}
	}
}

// listing is what comparing an agent's leases with ours found.
type listing struct {
	orders []Order
	resend []*leaseRow
}

func (b *batch) compare(c Poll) listing {
	var out listing
	rows := map[int64]*leaseRow{}
	for _, l := range b.listed[c.Session] {
		rows[l.id] = l
	}
	held := map[int64]bool{}
	for _, h := range c.Held {
		held[h.Lease] = true
		l := rows[h.Lease]
		if l == nil || b.endedHere(l) {
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
	for _, l := range rows {
		if !held[l.id] && !b.endedHere(l) && b.now.Sub(l.grantedAt) > resendAfter {
			out.resend = append(out.resend, l)
		}
	}
	return out
}

func (b *batch) endedHere(l *leaseRow) bool {
	w := b.runs[RunKey{l.org, l.run}]
	return w != nil && w.gone[l.id]
}

func (b *batch) tellPhase(l *leaseRow, h Held) {
	if h.Phase == "" || (h.Phase == l.phase && h.Started == (l.startedAt != nil)) {
		return
	}
	var started *time.Time
	if h.Started {
		t := clamp(b.now.Add(-h.Since), l.grantedAt, b.now)
		if l.startedAt != nil {
			t = *l.startedAt
		}
		started = &t
	}
	b.phases = append(b.phases, phaseChange{org: l.org, lease: l.id, phase: h.Phase, started: started})
}
