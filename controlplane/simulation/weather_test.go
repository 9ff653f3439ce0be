package simulation_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// calmWithin is how long the world has, once the storm is over, to bring every
// run to its end: an hour for exit handlers, and the longest steps.
const calmWithin = 3 * time.Hour

// addWeather makes the process that kills, freezes and cuts, and ends the storm.
func (w *world) addWeather() {
	w.spawn(w.process("weather"), "weather", func() {
		end := time.Duration(w.opt.hours * float64(time.Hour))
		for time.Since(w.began) < end {
			w.pause(w.between(time.Second, 50*time.Second))
			w.harm()
		}
		w.calm = true
		w.tell("calm")
		for _, p := range w.processes {
			w.thaw(p)
		}
		w.revive()
		for calm := time.Now(); !w.check.quiet(); {
			if time.Since(calm) > calmWithin {
				w.check.stuck()
				return
			}
			w.revive()
			w.pause(5 * time.Second)
		}
		w.check.finally()
		w.recordUnseen()
		w.stopped = true
	})
}

// revive starts what is down.
func (w *world) revive() {
	for _, r := range w.replicas {
		if !r.proc.up {
			r.boot()
		}
	}
	for _, a := range w.agents {
		if !a.proc.up {
			a.boot(true)
		}
	}
}

// harm does one thing that no system likes.
func (w *world) harm() {
	switch w.rand.IntN(12) {
	case 0, 1:
		r := w.replicas[w.rand.IntN(len(w.replicas))]
		w.harmServer(r)
	case 2, 3, 4:
		w.harmAgent(w.agents[w.rand.IntN(len(w.agents))])
	case 5:
		if w.db.up {
			away := w.between(200*time.Millisecond, 90*time.Second)
			w.tell("PostgreSQL crashes for %s", away)
			w.done.Outages++
			w.db.crash(away)
		}
	case 6, 7:
		if n := len(w.db.open); n > 0 {
			w.tell("a backend is terminated")
			w.done.Backends++
			w.db.open[w.rand.IntN(n)].close()
		}
	case 8:
		w.tell("a session is cut short")
		w.done.Cuts++
		for _, s := range w.sessionsByID() {
			if !s.ended && w.roll(3) {
				s.expires = w.db.now().Add(-time.Second)
				break
			}
		}
	default: // sunshine
	}
}

func (w *world) sessionsByID() []*sessionRow {
	keys := map[string]*sessionRow{}
	for k, s := range w.db.sessions {
		keys[k.String()] = s
	}
	var out []*sessionRow
	for _, k := range sortedKeys(keys) {
		out = append(out, keys[k])
	}
	return out
}

func (w *world) harmServer(r *replica) {
	switch {
	case !r.proc.up:
	case w.roll(2):
		away := w.between(100*time.Millisecond, 40*time.Second)
		w.tell("kill %s for %s", r.proc.name, away)
		w.done.Kills++
		w.kill(r.proc)
		w.after(away, func() {
			if !r.proc.up && !w.stopped {
				r.boot()
			}
		})
	default:
		w.freezeFor(r.proc, w.between(100*time.Millisecond, 70*time.Second))
	}
}

func (w *world) freezeFor(p *process, d time.Duration) {
	if !p.up || p.frozen {
		return
	}
	w.tell("freeze %s for %s", p.name, d)
	w.done.Freezes++
	w.freeze(p)
	w.after(d, func() { w.thaw(p) })
}

func (w *world) harmAgent(a *agent) {
	switch {
	case !a.proc.up:
	case w.roll(2):
		away := w.between(100*time.Millisecond, 2*time.Minute)
		adopts := w.roll(2)
		w.tell("kill %s for %s, its steps live on: %t", a.proc.name, away, adopts)
		w.done.Kills++
		w.kill(a.proc)
		w.after(away, func() {
			if !a.proc.up && !w.stopped {
				a.boot(adopts)
			}
		})
	default:
		w.freezeFor(a.proc, w.between(time.Second, 3*time.Minute))
	}
}

// addPeople makes those who start, cancel and retry runs.
func (w *world) addPeople() {
	w.people = w.process("people")
	for i := range 3 {
		w.spawn(w.people, fmt.Sprintf("person %d", i), func() {
			for !w.calm {
				w.pause(w.between(time.Second, 3*time.Minute))
				w.act()
			}
			for {
				w.pause(w.between(time.Second, time.Minute))
				w.release()
			}
		})
	}
}

func (w *world) act() {
	switch run, some := w.anyRun(); {
	case some && w.roll(7):
		w.cancel(run, w.roll(3))
	case some && w.roll(3):
		w.say(run)
	case w.roll(8):
		w.steer(w.rand.IntN(len(w.db.pipelines)))
	case some && w.roll(6):
		_, err := w.net.call(10*time.Second, func(r *replica) (any, error) { return r.do(retryRun{run: run}) })
		w.expect(err)
	default:
		w.startOne()
	}
}

func (w *world) cancel(run id.UUID, force bool) {
	op := w.recordForce(run, force)
	_, err := w.net.call(10*time.Second, func(r *replica) (any, error) { return r.do(cancelRun{run, force}) })
	w.recordDone(op, err)
	w.expect(err)
}

// say is something that people tell a run: pause, resume, signals and votes.
func (w *world) say(run id.UUID) {
	row := w.db.runs[run]
	var cmd any
	switch w.rand.IntN(6) {
	case 0:
		cmd = pauseRun{run, w.roll(2), row.seq}
	case 1, 2:
		cmd = resumeRun{run, row.seq}
	case 3:
		cmd = sendSignal{run, pick(w, signals...), pick(w, "1", "2", "")}
	default:
		held := sortedKeys(w.check.shadows[run].state.Holds)
		if len(held) == 0 {
			return
		}
		cmd = castVote{run, held[w.rand.IntN(len(held))], pick(w, "ann", "ben", "somebody"), w.roll(4)}
	}
	_, err := w.net.call(10*time.Second, func(r *replica) (any, error) { return r.do(cmd) })
	w.expect(err)
}

// release says what runs wait for once it is calm: a pause that nobody ends and
// a signal that nobody sends hold a run for ever, and rightly so.
func (w *world) release() {
	for _, run := range w.db.order {
		row := w.db.runs[run]
		if row.state.Terminal() {
			continue
		}
		s := w.check.shadows[run].state
		var say []any
		if row.state == engine.RunPaused {
			say = append(say, resumeRun{run: run})
		}
		for _, task := range sortedKeys(s.Holds) {
			switch t := w.graph(row).Task(s, task); {
			case t.Signal != nil:
				say = append(say, sendSignal{run: run, name: t.Signal.Name})
			case t.Approve != nil:
				say = append(say, castVote{run, task, "cid", false}, castVote{run, task, "dan", false})
			}
		}
		for _, cmd := range say {
			_, err := w.net.call(10*time.Second, func(r *replica) (any, error) { return r.do(cmd) })
			w.expect(err)
		}
	}
	for n, l := range w.db.limits {
		if l.most != l.full {
			w.setLimit(n, l.full)
		}
	}
	for i, p := range w.db.pipelines {
		if p.paused {
			w.halt(i, false)
		}
	}
	for _, run := range w.db.order {
		if a := w.db.admissions[run]; a != nil && a.Blocking {
			w.unblock(lineKey{a.pipeline, a.line})
		}
	}
}

// startOne starts a run, with a key as often as not, and repeats it until it is
// answered.
func (w *world) startOne() {
	c := *w.startOf(w.rand.IntN(len(w.db.pipelines)))
	c.priority = int32(w.rand.IntN(3))
	if c.lined {
		c.line = pick(w, "", "", "b")
	}
	if w.roll(8) {
		c.at = w.db.now().Add(w.between(0, 3*time.Minute))
	}
	if w.roll(2) {
		n := w.rand.IntN(40)
		c.key = fmt.Sprintf("key %d of %d", n, c.pipeline)
	}
	for range 5 {
		out, err := w.net.call(10*time.Second, func(r *replica) (any, error) { return r.do(c) })
		if err == nil {
			run := out.(started).run
			w.check.startedBy(c, out.(started))
			if w.roll(4) && c.at.After(time.Now()) {
				w.pause(time.Until(c.at) + w.between(0, 100*time.Millisecond))
				w.cancel(run, false) // in the moment in which its time comes
			}
			return
		}
		w.expect(err)
		w.pause(w.between(100*time.Millisecond, 5*time.Second))
	}
}

func (w *world) anyRun() (id.UUID, bool) {
	if len(w.db.order) == 0 {
		return id.Nil, false
	}
	return w.db.order[max(0, len(w.db.order)-1-w.rand.IntN(12))], true
}

// expect lets pass what a storm excuses.
func (w *world) expect(err error) {
	if err == nil || errors.Is(err, errNetwork) || errors.Is(err, errUnavailable) || errors.Is(err, errNoPlace) {
		return
	}
	if _, refused := errors.AsType[*engine.Refusal](err); !refused {
		w.violate("not to be excused: %v", err)
	}
}
