package simulation_test

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// reapAgain ends the sessions of silent agents, as controlplane/reaper. A second
// is what it aims at; a busy machine makes more of it.
func (r *replica) reapAgain() {
	for {
		r.w.pause(r.w.between(time.Second, 4*time.Second))
		c, err := r.w.db.connect()
		if err == nil {
			r.reap(c)
			c.close()
		}
	}
}

// maxGap is the longest silence of all reapers that is no outage.
const maxGap = 5 * time.Second

func (r *replica) reap(c *conn) {
	w, db := r.w, r.w.db
	var expired []id.UUID
	err := c.call(func() error {
		if !c.begin().try(lockKey{kind: lockReaper}) {
			c.rollback()
			return nil
		}
		now := db.now()
		if gap := now.Sub(db.seen); gap > maxGap {
			for _, s := range db.sessions {
				if !s.ended && s.expires.After(db.seen) {
					s.expires = earlier(s.expires.Add(gap), later(s.expires, now.Add(sessionTTL-renewalSlack)))
				}
			}
		}
		db.seen = now
		for _, s := range db.sessions {
			if !s.ended && s.expires.Before(now) {
				expired = append(expired, s.id)
			}
		}
		c.commit()
		return nil
	})
	if err != nil {
		return
	}
	slices.SortFunc(expired, func(x, y id.UUID) int { return bytes.Compare(x[:], y[:]) })
	for _, s := range expired {
		if ended, err := r.do(endSession{s}); err == nil && ended == true {
			w.done.Expired++
		}
	}
	r.clear(c)
}

func later(x, y time.Time) time.Time {
	if x.After(y) {
		return x
	}
	return y
}

func earlier(x, y time.Time) time.Time {
	if x.Before(y) {
		return x
	}
	return y
}

// clear loses the leases of ended sessions, and removes those that have none.
func (r *replica) clear(c *conn) {
	db := r.w.db
	var lost []loseLease
	ended := false
	for _, s := range db.sessions {
		ended = ended || s.ended
	}
	if !ended {
		return // what the read below would say; most seconds are like this
	}
	err := c.call(func() error {
		for _, l := range db.leases {
			if s := db.sessions[l.session]; s != nil && s.ended {
				lost = append(lost, loseLease{l.run, l.id, l.session})
			}
		}
		return nil
	})
	if err != nil {
		return
	}
	slices.SortFunc(lost, func(x, y loseLease) int { return cmp.Compare(x.lease, y.lease) })
	for _, l := range lost {
		r.lose(l)
	}
	_ = c.call(func() error {
		holds := map[id.UUID]bool{}
		for _, l := range db.leases {
			holds[l.session] = true
		}
		t := c.begin()
		for s, row := range db.sessions {
			if row.ended && !holds[s] && t.try(lockKey{kind: lockSession, id: s}) {
				delete(db.sessions, s)
			}
		}
		c.commit()
		return nil
	})
}

// lose ends a lease whose session has ended.
func (r *replica) lose(l loseLease) {
	op := r.w.recordLose(l)
	_, err := r.do(l)
	r.w.recordDone(op, err)
}

// tick turns due timers into commands, as controlplane/timer: one replica at a
// time, the holder of the lock that lives with its connection.
func (r *replica) tick() {
	for {
		if c, err := r.w.db.connect(); err == nil {
			r.lead(c)
			c.close()
		}
		if r.w.db.ticker != nil { // what asking each second would say
			r.w.wait(&r.w.db.tickerGone, 0)
		}
		r.w.pause(r.w.between(0, time.Second))
	}
}

func (r *replica) lead(c *conn) {
	w, db := r.w, r.w.db
	err := c.call(func() error {
		if db.ticker != nil {
			return errTimeout
		}
		db.ticker = c
		return nil
	})
	if err != nil {
		return
	}
	for {
		// The ticker looks every 100 ms; nothing comes of it until one is due.
		next, some := db.nextTimer()
		switch {
		case !some:
			w.wait(&db.timersChanged, time.Minute)
		case time.Until(next) > 0:
			w.wait(&db.timersChanged, time.Until(next)+w.between(0, 100*time.Millisecond))
		default:
			w.pause(w.between(time.Millisecond, 100*time.Millisecond))
		}
		var due []dueTimer
		var wakes []wakeRow
		if err := c.call(func() error { due, wakes = db.dueTimers(), db.dueWakes(); return nil }); err != nil {
			return
		}
		r.serveAll(due, wakes)
	}
}

// serveAll serves what is due, side by side.
func (r *replica) serveAll(due []dueTimer, wakes []wakeRow) {
	var served signal
	left := len(due) + len(wakes)
	serve := func(name string, one func()) {
		r.w.spawn(r.proc, name, func() {
			one()
			left--
			r.w.notify(&served)
		})
	}
	for _, row := range wakes {
		serve("wake", func() { r.serveWake(row) })
	}
	for _, d := range due {
		serve("timer", func() {
			if _, err := r.do(d); err == errGone { //nolint:errorlint // it is never wrapped
				r.w.violate("a timer of a run that is not there: %v", d)
			}
		})
	}
	for left > 0 {
		r.w.wait(&served, 0)
	}
}

func (db *database) nextTimer() (next time.Time, found bool) {
	for _, row := range db.wakes {
		if !found || row.at.Before(next) {
			next, found = row.at, true
		}
	}
	for _, t := range db.timers {
		if !found || t.at.Before(next) {
			next, found = t.at, true
		}
	}
	return next, found
}

func (db *database) dueTimers() []dueTimer {
	var out []dueTimer
	now := db.now()
	for k, t := range db.timers {
		if !t.at.After(now) {
			out = append(out, dueTimer{k, t.attempt})
		}
	}
	slices.SortFunc(out, func(x, y dueTimer) int {
		return cmp.Or(db.timers[x.timerKey].at.Compare(db.timers[y.timerKey].at), bytes.Compare(x.run[:], y.run[:]), cmp.Compare(x.kind, y.kind), cmp.Compare(x.task, y.task))
	})
	return out
}

// openSession starts a session of an agent, as controlplane/agentdb: what the
// one before it held is adopted, or lost.
func (r *replica) openSession(a *agent, replaces id.UUID, adopted []int64) (id.UUID, error) {
	w, db := r.w, r.w.db
	c, err := db.connect()
	if err != nil {
		return id.Nil, errUnavailable
	}
	defer c.close()
	session := w.newID()
	var lost []loseLease
	err = c.call(func() error {
		t := c.begin()
		var keys []lockKey
		for _, l := range db.leases {
			if l.agent == a.id && l.session == replaces {
				keys = append(keys, lockKey{kind: lockLease, n: l.id})
			}
		}
		if err := t.lockAll(keys); err != nil {
			return err
		}
		if old := db.sessions[replaces]; old != nil {
			if err := t.lock(lockKey{kind: lockSession, id: replaces}); err != nil {
				return err
			}
		}
		for _, k := range keys {
			if l := db.leases[k.n]; l != nil && l.session == replaces {
				if slices.Contains(adopted, l.id) {
					t.write(func() string { l.session = session; return "" })
				} else {
					lost = append(lost, loseLease{l.run, l.id, replaces})
				}
			}
		}
		t.write(func() string {
			if old := db.sessions[replaces]; old != nil {
				old.ended = true
			}
			db.sessions[session] = &sessionRow{id: session, agent: a.id, pool: a.pool, expires: db.now().Add(sessionTTL)}
			return ""
		})
		c.commit()
		return nil
	})
	if err != nil {
		return id.Nil, errUnavailable
	}
	for _, l := range lost {
		r.lose(l)
	}
	return session, nil
}
