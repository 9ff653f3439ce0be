package simulation_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// replica is a server: its group commit, reaper and ticker, each a fiber or
// more, all gone when it is killed.
type replica struct {
	w    *world
	proc *process
	*memory
}

// memory is what a server loses when it dies.
type memory struct {
	queue   []*request
	arrived signal
	looks   map[int]bool // pools whose queue is to be looked at
	cache   map[id.UUID]*engine.State
	parked  []*request
}

// request is a command and where its answer goes.
type request struct {
	cmd    any
	run    id.UUID // of a start
	tries  int
	done   bool
	value  any
	err    error
	answer signal
	over   bool // who asked has gone

	status []status
	taker  *taker
	orders []order
	resend []*leaseRow
	start  *startRun // of a child
}

// The commands of the group commit.
type (
	startRun struct {
		pipeline    int
		key         string
		fingerprint uint64
		priority    int32
		at          time.Time
		version     int
		line        string
		lined       bool
	}
	cancelRun struct {
		run   id.UUID
		force bool
	}
	retryRun struct {
		run        id.UUID
		generation int32
	}
	pauseRun struct {
		run     id.UUID
		suspend bool
		seen    int64
	}
	resumeRun struct {
		run  id.UUID
		seen int64
	}
	sendSignal struct {
		run       id.UUID
		name, key string
	}
	castVote struct {
		run    id.UUID
		task   int32
		voter  string
		reject bool
	}
	dueTimer struct {
		timerKey

		attempt int32
	}
	loseLease struct {
		run     id.UUID
		lease   int64
		session id.UUID
	}
	endSession struct{ session id.UUID }
	poll       struct {
		agent, session id.UUID
		free           int32
		wait           time.Duration
		lists          bool
		held           []heldLease
	}
	reportAll struct {
		agent, session id.UUID
		free           int32
		reports        []attemptReport
	}
)

type (
	heldLease struct {
		lease   int64
		started bool
		since   time.Duration
	}
	attemptReport struct {
		lease    int64
		run      id.UUID
		task     int32
		outcome  engine.Outcome
		exit     int32
		started  bool
		duration time.Duration
		ago      time.Duration
		answer   *engine.Answer
		members  []engine.Member // that the step adds; whose nodes the server knows
	}
	status uint8
	order  struct {
		lease int64
		stale bool // else: stop
	}
	lease struct {
		id      int64
		run     id.UUID
		task    int32
		attempt int32
		asking  bool
		slots   int32
	}
	work struct {
		leases []lease
		orders []order
		status []status
	}
	started struct {
		run     id.UUID
		created bool
	}
)

const (
	statusNone status = iota
	statusAccepted
	statusStale
	statusRetry
)

var (
	errUnavailable = errors.New("unavailable; send it again")
	errGone        = errors.New("there is no such run")
	errExpired     = errors.New("the session has ended")
	errMismatch    = errors.New("the key started another run")
)

func (w *world) addReplica(n int) {
	r := &replica{w: w, proc: w.process(fmt.Sprintf("server %d", n))}
	w.replicas = append(w.replicas, r)
	r.boot()
}

// boot starts a server, or starts it again.
func (r *replica) boot() {
	r.proc.up = true
	r.memory = &memory{looks: map[int]bool{}, cache: map[id.UUID]*engine.State{}}
	r.w.spawn(r.proc, "commit", r.loop)
	r.w.spawn(r.proc, "look", r.lookAround)
	r.w.spawn(r.proc, "reap", r.reapAgain)
	r.w.spawn(r.proc, "tick", r.tick)
}

func (r *request) reply(value any, err error) {
	if !r.done {
		r.done, r.value, r.err = true, value, err
	}
}

// do queues a command and waits for its answer.
func (r *replica) do(cmd any) (any, error) {
	req := &request{cmd: cmd}
	if _, ok := cmd.(startRun); ok {
		req.run = r.w.newID()
	}
	if c, ok := cmd.(wakeRow); ok && c.kind == wakeChild {
		req.start = r.w.startOf(c.pipeline)
	}
	r.queue = append(r.queue, req)
	r.w.notify(&r.arrived)
	r.await(req, cmd)
	return req.value, req.err
}

// await waits for an answer; a poll's time may end before.
func (r *replica) await(req *request, cmd any) {
	var within time.Duration
	if p, ok := cmd.(poll); ok && p.wait > 0 {
		within = p.wait
	}
	for !req.done {
		if !r.w.wait(&req.answer, within) && !req.done {
			within = 0
			req.over = true
			r.leave(req)
		}
	}
}

// leave answers a poll that waits with nothing.
func (r *replica) leave(req *request) {
	for i, p := range r.parked {
		if p == req {
			r.parked = append(r.parked[:i:i], r.parked[i+1:]...)
			req.reply(&work{}, nil)
			r.w.notify(&req.answer)
			return
		}
	}
}

// maxBatch is small, so that what happens at once is often in two batches.
const maxBatch = 12

// loop makes batches of whatever waits.
func (r *replica) loop() {
	var c *conn
	for {
		for len(r.queue) == 0 && len(r.looks) == 0 {
			r.w.wait(&r.arrived, 0)
		}
		n := min(len(r.queue), 1+r.w.rand.IntN(maxBatch))
		reqs := append([]*request(nil), r.queue[:n]...)
		r.queue = append([]*request(nil), r.queue[n:]...)
		c = r.serve(c, reqs)
	}
}

// serve makes batches of requests, on a new connection whenever one is lost. It
// returns the last one.
func (r *replica) serve(c *conn, reqs []*request) *conn {
	for first := true; first || len(reqs) > 0; first = false {
		if c == nil || c.closed {
			var err error
			if c, err = r.w.db.connect(); err != nil {
				r.refuse(append(reqs, r.queue...))
				r.queue = nil
				r.w.pause(200 * time.Millisecond)
				return nil
			}
		}
		reqs = r.process(c, reqs, false)
	}
	return c
}

func (r *replica) refuse(reqs []*request) {
	for _, q := range reqs {
		q.reply(nil, errUnavailable)
		r.w.notify(&q.answer)
	}
}

const maxTries = 3

// process runs requests as one batch, or in halves when a lock was not had. It
// returns those that may run again: nothing of them was written.
func (r *replica) process(c *conn, reqs []*request, lone bool) []*request {
	b, err := r.attempt(c, reqs, lone)
	if err == nil {
		b.settle()
		return nil
	}
	b.abandon()
	switch {
	case c.closed && !b.writing:
		var again []*request
		for _, q := range reqs {
			if q.tries++; q.tries < maxTries {
				again = append(again, q)
			} else {
				r.refuse([]*request{q})
			}
		}
		return again
	case c.closed:
		r.refuse(reqs)
	case len(reqs) <= 1 && lone:
		r.refuse(reqs)
	case len(reqs) <= 1:
		return r.process(c, reqs, true)
	default:
		left := r.process(c, reqs[:len(reqs)/2], true)
		if c.closed {
			return append(left, reqs[len(reqs)/2:]...)
		}
		return append(left, r.process(c, reqs[len(reqs)/2:], true)...)
	}
	return nil
}

// lookAround looks each second at the pools for which somebody waits.
func (r *replica) lookAround() {
	for {
		if len(r.w.db.ready) == 0 { // what looking each second would say
			r.w.wait(&r.w.db.readyChanged, 0)
		}
		r.w.pause(r.w.between(time.Second, 3*time.Second))
		for _, q := range r.parked {
			pool := r.w.poolOf(q.cmd.(poll).agent)
			if r.w.db.waiting(pool) {
				r.look(pool)
			}
		}
	}
}

func (r *replica) look(pool int) {
	if !r.looks[pool] {
		r.looks[pool] = true
		r.w.notify(&r.arrived)
	}
}

// waiting reports whether a pool has ready rows.
func (db *database) waiting(pool int) bool {
	for _, row := range db.ready {
		if row.pool == pool {
			return true
		}
	}
	return false
}

// hear is a notification: there may be work in the pools, and news for sessions.
// It may be lost: each replica looks once a second anyway.
func (w *world) hear(from *replica, pools []int, sessions []id.UUID) {
	for _, r := range w.replicas {
		if !r.proc.up || w.trouble(20) {
			continue
		}
		w.after(w.latency(), func() {
			if !r.proc.up {
				return
			}
			for _, p := range pools {
				if r != from {
					r.look(p)
				}
			}
			for _, s := range sessions {
				r.wake(s)
			}
		})
	}
}

// wake ends the wait of a session's poll: its agent asks again.
func (r *replica) wake(session id.UUID) {
	for _, q := range r.parked {
		if q.cmd.(poll).session == session {
			r.leave(q)
			return
		}
	}
}
