package simulation_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// agent is a program at a customer's: it polls, runs steps, reports until it is
// answered, and is killed, frozen and started again.
type agent struct {
	w     *world
	proc  *process
	id    id.UUID
	pool  int
	slots int32
	gpus  int32

	// What stands on its disk: the session it had, and what it ran.
	session id.UUID
	held    map[int64]*step
	past    []attemptReport

	offered int32 // slots offered by a request under way
	ended   signal
	listed  time.Time
}

// step is a lease that the agent has.
type step struct {
	lease  lease
	began  time.Time
	done   time.Time
	stop   signal
	told   bool
	report *attemptReport
}

func (w *world) addAgent(n int) {
	a := &agent{
		w: w, proc: w.process(fmt.Sprintf("agent %d", n)), id: w.newID(), pool: n % len(w.db.pools),
		slots: int32(2 + w.rand.IntN(3)), gpus: int32(n / 2 % 2), held: map[int64]*step{},
	}
	w.agents = append(w.agents, a)
	a.boot(false)
}

func (w *world) agentOf(agent id.UUID) *agent {
	for _, a := range w.agents {
		if a.id == agent {
			return a
		}
	}
	return nil
}

func (w *world) poolOf(agent id.UUID) int { return w.agentOf(agent).pool }

func (w *world) poolID(pool int) id.UUID { return w.db.pools[pool].id }

// boot starts the agent; adopts says that its steps outlived it.
func (a *agent) boot(adopts bool) {
	a.proc.up, a.offered = true, 0
	if !adopts {
		for _, lease := range sortedKeys(a.held) {
			if r := a.held[lease].report; r != nil && a.w.roll(2) {
				a.past = append(a.past, *r) // it may still be reported, late
			}
			delete(a.held, lease)
		}
	}
	for _, lease := range sortedKeys(a.held) {
		a.w.spawn(a.proc, "step", func() { a.run(a.held[lease]) })
	}
	a.w.spawn(a.proc, "poll", a.live)
	a.w.spawn(a.proc, "report", a.reportEnds)
}

func (a *agent) open() {
	for {
		var adopted []int64
		if a.w.roll(3) {
			adopted = nil
		} else {
			adopted = sortedKeys(a.held)
		}
		replaces := a.session
		out, err := a.w.net.call(10*time.Second, func(r *replica) (any, error) { return r.openSession(a, replaces, adopted) })
		if err == nil {
			a.session = out.(id.UUID)
			a.listed = time.Time{}
			return
		}
		a.w.pause(a.w.between(100*time.Millisecond, 2*time.Second))
	}
}

// live opens a session and polls, for as long as the process lives.
func (a *agent) live() {
	a.open()
	for {
		free := a.free()
		a.offered += free
		p := poll{agent: a.id, session: a.session, free: free, wait: 20 * time.Second}
		if time.Since(a.listed) > 8*time.Second {
			p.lists = true
			for _, lease := range sortedKeys(a.held) {
				s := a.held[lease]
				p.held = append(p.held, heldLease{lease, true, time.Since(s.began)})
			}
		}
		call := time.Since(a.w.began)
		out, err := a.w.net.call(30*time.Second, func(r *replica) (any, error) { return r.do(p) })
		a.offered -= free
		if errors.Is(err, errExpired) {
			a.open()
			continue
		}
		if err != nil {
			a.w.pause(a.w.between(50*time.Millisecond, 3*time.Second))
			continue
		}
		if p.lists {
			a.listed = time.Now()
		}
		a.heard(out.(*work), call)
		if a.free() == 0 {
			a.w.wait(&a.ended, a.w.between(time.Second, 9*time.Second))
		}
	}
}

func (a *agent) free() int32 {
	n := a.slots - a.offered
	for _, s := range a.held {
		n -= s.lease.slots
	}
	return max(0, n)
}

// heard takes an answer in.
func (a *agent) heard(out *work, call time.Duration) {
	for _, l := range out.leases {
		a.w.recordGrant(l, call)
		if a.held[l.id] != nil {
			continue
		}
		s := &step{lease: l, began: time.Now()}
		a.held[l.id] = s
		a.w.spawn(a.proc, "step", func() { a.run(s) })
	}
	for _, o := range out.orders {
		s := a.held[o.lease]
		switch {
		case s == nil:
		case o.stale:
			a.w.done.Stale++
			delete(a.held, o.lease)
			s.told = true
			a.w.notify(&s.stop)
			a.w.notify(&a.ended)
		default:
			s.told = true
			a.w.notify(&s.stop)
		}
	}
}

// run is a step, or a decision.
func (a *agent) run(s *step) {
	if s.report != nil {
		return
	}
	w := a.w
	length := w.between(10*time.Millisecond, 90*time.Second)
	switch {
	case s.lease.asking:
		length = w.between(time.Millisecond, 300*time.Millisecond)
	case w.calm:
		length = w.between(10*time.Millisecond, 3*time.Second) // what has piled up is worked off
	case w.trouble(30):
		length = w.between(time.Minute, 20*time.Minute)
	}
	if !s.told {
		w.wait(&s.stop, length)
	}
	if a.held[s.lease.id] != s {
		return // it was stale
	}
	s.done = time.Now()
	r := &attemptReport{
		lease: s.lease.id, run: s.lease.run, task: s.lease.task, started: true, outcome: engine.OutcomeSucceeded,
		duration: time.Since(s.began),
	}
	switch {
	case s.told:
		r.outcome = engine.OutcomeCanceled
	case s.lease.asking:
		r.started, r.duration = false, 0
		r.answer = &engine.Answer{Yes: !w.roll(5), Count: w.rand.IntN(7)}
	default:
		w.outcome(r)
		r.members = w.drawMembers()
	}
	if w.roll(4) {
		r.duration *= 3 // its clock is wrong
	}
	s.report = r
	w.notify(&a.ended)
}

// drawMembers is what few steps add: a handful of tasks, some of which need
// others.
func (w *world) drawMembers() []engine.Member {
	if !w.roll(8) {
		return nil
	}
	var out []engine.Member
	for i := range int32(1 + w.rand.IntN(3)) {
		m := engine.Member{ID: fmt.Sprintf("m%d", i)}
		for up := range i {
			if w.roll(2) {
				m.Needs = append(m.Needs, up)
			}
		}
		out = append(out, m)
	}
	return out
}

// outcome draws how a step ends.
func (w *world) outcome(r *attemptReport) {
	r.exit = 1
	switch w.rand.IntN(24) {
	case 0, 1:
		r.outcome = engine.OutcomeFailed
	case 2:
		r.outcome = engine.OutcomePreempted
	case 3:
		r.outcome, r.started, r.duration = engine.OutcomeRejected, false, 0
	case 4:
		r.outcome = engine.OutcomeTimedOut
	case 5:
		r.outcome, r.exit = engine.OutcomeFailed, engine.ExitSkipped
	case 6:
		r.outcome, r.exit = engine.OutcomeFailed, engine.ExitRetry
	case 7:
		r.outcome = engine.OutcomeCanceled // nobody asked for it
	default:
		r.exit = 0
	}
}

// reportEnds sends what has ended until it is answered.
func (a *agent) reportEnds() {
	for {
		c := reportAll{agent: a.id, session: a.session}
		for _, lease := range sortedKeys(a.held) {
			if s := a.held[lease]; s.report != nil {
				rep := *s.report
				rep.ago = time.Since(s.done)
				c.reports = append(c.reports, rep)
				c.free += s.lease.slots
			}
		}
		if len(a.past) > 0 && a.w.roll(6) {
			c.reports = append(c.reports, a.past[a.w.rand.IntN(len(a.past))])
		}
		if len(c.reports) == 0 {
			a.w.wait(&a.ended, a.w.between(20*time.Second, time.Minute))
			continue
		}
		call, ops := a.w.clock(), a.w.recordReports(c.reports)
		out, err := a.w.net.call(20*time.Second, func(r *replica) (any, error) { return r.do(c) })
		if err != nil {
			a.w.pause(a.w.between(100*time.Millisecond, 5*time.Second))
			continue
		}
		got := out.(*work)
		retry := false
		for i, st := range got.status {
			if st == statusRetry {
				retry = true
				continue
			}
			a.w.recordStatus(ops[i], st)
			a.answered(c.reports[i], st)
		}
		a.heard(got, call)
		if retry {
			a.w.pause(time.Second)
		}
	}
}

func (a *agent) answered(r attemptReport, st status) {
	a.w.check.answered(a, r, st)
	if s := a.held[r.lease]; s != nil {
		delete(a.held, r.lease)
		a.w.notify(&a.ended)
	}
	if a.past = append(a.past, r); len(a.past) > 20 {
		a.past = a.past[1:]
	}
}
