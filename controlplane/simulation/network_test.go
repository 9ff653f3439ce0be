package simulation_test

import (
	"errors"
	"time"
)

// network is what lies between agents, people and servers: a proxy that knows
// nothing, and that drops, delays, repeats and cuts.
type network struct {
	w    *world
	turn int
}

// box is where an answer is awaited.
type box struct {
	ready    signal
	answered bool
	broken   bool // its server died
	value    any
	err      error
}

var errNetwork = errors.New("the network failed, or took too long")

// call sends a request to some server and waits for its answer. That it failed
// says nothing of what the server did.
func (n *network) call(within time.Duration, handle func(r *replica) (any, error)) (any, error) {
	w := n.w
	w.pause(n.delay())
	if w.trouble(150) {
		return nil, n.silence(within) // the request is lost
	}
	n.turn++
	r := w.replicas[n.turn%len(w.replicas)]
	if !r.proc.up {
		w.pause(time.Millisecond)
		return nil, errNetwork
	}
	b := n.send(r, handle)
	if w.trouble(60) {
		w.done.Duplicates++
		n.send(w.replicas[w.rand.IntN(len(w.replicas))], handle) // nobody waits for this one
	}
	if !b.answered && !b.broken {
		w.wait(&b.ready, within)
	}
	r.proc.forget(b)
	switch {
	case !b.answered:
		return nil, errNetwork
	case w.trouble(80):
		return nil, n.silence(within) // the answer is lost
	}
	w.pause(n.delay())
	return b.value, b.err
}

func (n *network) delay() time.Duration {
	if n.w.trouble(60) {
		return n.w.between(10*time.Millisecond, 8*time.Second)
	}
	return n.w.between(100*time.Microsecond, 2*time.Millisecond)
}

// silence is a connection that breaks, or one that nothing is heard of.
func (n *network) silence(within time.Duration) error {
	if n.w.roll(3) {
		n.w.pause(within)
	} else {
		n.w.pause(n.w.between(time.Millisecond, time.Second))
	}
	return errNetwork
}

func (n *network) send(r *replica, handle func(r *replica) (any, error)) *box {
	b := &box{}
	if !r.proc.up {
		b.broken = true
		return b
	}
	r.proc.calls = append(r.proc.calls, b)
	n.w.spawn(r.proc, "handler", func() {
		b.value, b.err = handle(r)
		b.answered = true
		r.proc.forget(b)
		n.w.notify(&b.ready)
	})
	return b
}

func (p *process) forget(b *box) {
	for i, x := range p.calls {
		if x == b {
			p.calls = append(p.calls[:i], p.calls[i+1:]...)
			return
		}
	}
}
