package simulation_test

import (
	"container/heap"
	"fmt"
	"iter"
	"runtime/debug"
	"time"
)

// process is something that can be killed and frozen as a whole: a server, an
// agent, PostgreSQL itself. Its fibers live and stand still with it.
type process struct {
	name   string
	up     bool
	frozen bool
	fibers []*fiber
	held   []*event // what would have gone on while it was frozen
	calls  []*box   // who waits for an answer of it
}

// fiber is a thread of a process. Exactly one runs at a time, and which one goes
// on next depends on nothing but the seed.
type fiber struct {
	proc  *process
	name  string
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
	token uint64 // of the wait it is in; events of earlier ones are stale
	woken bool   // by a signal, not by the clock
	done  bool
}

// killed unwinds a fiber whose process has died.
type killed struct{}

type event struct {
	at     time.Time
	serial uint64
	fiber  *fiber
	token  uint64
	woken  bool
	do     func() // instead of a fiber: the world's own doing
}

type events []*event

// Len is part of heap.Interface.
func (e events) Len() int { return len(e) }

// Less is part of heap.Interface: by time, then in the order of their making.
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || (e[i].at.Equal(e[j].at) && e[i].serial < e[j].serial)
}

// Swap is part of heap.Interface.
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push is part of heap.Interface.
func (e *events) Push(x any) { *e = append(*e, x.(*event)) }

// Pop is part of heap.Interface.
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

func (w *world) schedule(e *event) {
	w.serial++
	e.serial = w.serial
	heap.Push(&w.events, e)
}

// after has the world itself do something, whoever is frozen or dead then.
func (w *world) after(d time.Duration, do func()) {
	w.schedule(&event{at: time.Now().Add(d), do: do})
}

// spawn starts a fiber of a process; it runs when whoever spawns it pauses.
func (w *world) spawn(p *process, name string, body func()) {
	f := &fiber{proc: p, name: name}
	f.next, f.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			f.done = true
			if r := recover(); r != nil {
				if _, unwound := r.(killed); !unwound {
					panic(fmt.Sprintf("%v, in %s of %s\n%s", r, name, p.name, debug.Stack())) // its own stack is gone after this
				}
			}
		}()
		f.yield = yield
		body()
	})
	p.fibers = append(p.fibers, f)
	w.schedule(&event{at: time.Now(), fiber: f})
}

// rest gives the turn away until an event of this wait comes.
func (w *world) rest() bool {
	f := w.current
	if !f.yield(struct{}{}) {
		panic(killed{})
	}
	return f.woken
}

// pause lets time go by.
func (w *world) pause(d time.Duration) {
	f := w.current
	f.token++
	w.schedule(&event{at: time.Now().Add(d), fiber: f, token: f.token})
	w.rest()
}

// signal is what fibers wait for.
type signal struct{ waiting []*event }

// wait waits for a signal, or for a time if that is not zero; it reports
// whether the signal came.
func (w *world) wait(s *signal, within time.Duration) bool {
	f := w.current
	f.token++
	s.waiting = append(s.waiting, &event{fiber: f, token: f.token, woken: true})
	if within > 0 {
		w.schedule(&event{at: time.Now().Add(within), fiber: f, token: f.token})
	}
	return w.rest()
}

// notify wakes all who wait.
func (w *world) notify(s *signal) {
	for _, e := range s.waiting {
		e.at = time.Now()
		w.schedule(e)
	}
	s.waiting = nil
}

// run goes from event to event until the world stops. The clock is the bubble's.
func (w *world) run() {
	clock := time.NewTimer(0)
	<-clock.C
	for !w.stopped && w.events.Len() > 0 {
		e := heap.Pop(&w.events).(*event)
		if e.fiber != nil && (e.fiber.done || e.token != e.fiber.token) {
			continue
		}
		if d := time.Until(e.at); d > 0 {
			clock.Reset(d)
			<-clock.C
		}
		w.steps++
		switch {
		case e.do != nil:
			e.do()
		case e.fiber.proc.frozen:
			e.fiber.proc.held = append(e.fiber.proc.held, e)
		default:
			w.turn(e)
		}
	}
	for _, p := range w.processes {
		w.kill(p)
	}
}

func (w *world) turn(e *event) {
	f := e.fiber
	f.woken = e.woken
	w.current = f
	w.note(f.proc.name, f.name)
	f.next()
	w.current = nil
	if f.done {
		for i, x := range f.proc.fibers {
			if x == f {
				f.proc.fibers = append(f.proc.fibers[:i], f.proc.fibers[i+1:]...)
				break
			}
		}
	}
}

// kill ends a process as kill -9 does. Whoever waits for an answer of it sees
// its connection break.
func (w *world) kill(p *process) {
	p.up, p.frozen, p.held = false, false, nil
	fibers := p.fibers
	p.fibers = nil
	for _, f := range fibers {
		f.done = true
		f.stop()
	}
	for i := 0; w.db != nil && i < len(w.db.open); {
		if w.db.open[i].proc == p {
			w.db.open[i].close() // PostgreSQL sees at once that nobody is there
		} else {
			i++
		}
	}
	calls := p.calls
	p.calls = nil
	for _, b := range calls {
		b.broken = true
		w.notify(&b.ready)
	}
}

func (w *world) freeze(p *process) { p.frozen = true }

func (w *world) thaw(p *process) {
	if !p.frozen {
		return
	}
	p.frozen = false
	held := p.held
	p.held = nil
	for _, e := range held {
		e.at = time.Now()
		w.schedule(e)
	}
}
