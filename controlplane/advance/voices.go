package advance

import (
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// voices knows which sessions spoke here lately, and so what a pool's agents
// could run if they had nothing else to do. Only the loop touches it.
//
// An agent that only ever speaks to another replica is not known here; nor are
// its slots given away here. Only gangs need it: hearsay.
type voices struct {
	pools  map[id.UUID]map[id.UUID]*voice // by session
	hints  map[couldKey]couldHint
	others *hearsay
}

type voice struct {
	session *session
	at      time.Time // by this machine's clock
}

type couldKey struct {
	pool, but id.UUID
	class     int64
}

type couldHint struct {
	ok bool
	at time.Time
}

const (
	// silentAfter is when a session counts as gone; its row may live a little
	// shorter or longer.
	silentAfter = 35 * time.Second
	// couldFor is how long what was found out about a class is believed.
	couldFor = time.Second
	maxCould = 10_000
)

func newVoices() *voices {
	return &voices{pools: map[id.UUID]map[id.UUID]*voice{}, hints: map[couldKey]couldHint{}, others: newHearsay()}
}

// note remembers that a session spoke.
func (h *voices) note(s *session) {
	if s == nil {
		return
	}
	now := time.Now()
	pool := h.pools[s.pool]
	if pool == nil {
		evict(h.pools, maxPools)
		pool = map[id.UUID]*voice{}
		h.pools[s.pool] = pool
	}
	if v := pool[s.id]; v != nil {
		v.session, v.at = s, now
		return
	}
	pool[s.id] = &voice{s, now}
}

// could reports whether agents of the pool could run a task of the class, the
// members of a gang all at once, if they had nothing else to do; one of them
// left out, if it must not.
func (h *voices) could(pool id.UUID, class int64, req Requirement, but id.UUID) bool {
	now := time.Now()
	key := couldKey{pool, but, class}
	if hint, known := h.hints[key]; known && now.Sub(hint.at) < couldFor {
		return hint.ok
	}
	places, need := int32(0), req.members()
	for id, v := range h.pools[pool] {
		switch {
		case now.Sub(v.at) > silentAfter:
			delete(h.pools[pool], id)
		case v.session.agent != but && v.able(class, req):
			places += v.session.places(req)
		}
	}
	if places < need && req.Gang != nil {
		for _, s := range h.others.of(pool, now) {
			other := voice{session: s}
			if _, here := h.pools[pool][s.id]; !here && s.agent != but && other.able(class, req) {
				places += s.places(req)
			}
		}
	}
	evict(h.hints, maxCould)
	h.hints[key] = couldHint{places >= need, now}
	return places >= need
}

// able is satisfies for what is not of this batch: whatever is wrong with a
// session must not be the others' fault.
func (v *voice) able(class int64, req Requirement) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return v.session.satisfies(class, req)
}
