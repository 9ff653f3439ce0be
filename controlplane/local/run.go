package local

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/controlplane/upstream"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// run is one run: its state, its journal, and what stands beside it.
type run struct {
	id       id.UUID
	pipeline string
	number   int64
	version  *version
	params   []byte
	labels   map[string]string
	priority int32
	actor    string
	created  time.Time
	parent   *parent

	state   *engine.State
	journal []journal.Row
	bodies  map[int64]upstream.Body

	opened map[int32]*opened
	timers map[timerKey]engine.Timer
	view   *rundb.Follower
}

// parent is the task that a run is the child of.
type parent struct {
	run   *run
	child engine.Child
}

// timerKey names a timer of a run.
type timerKey struct {
	kind engine.TimerKind
	task int32
}

// name is how people call a run.
func (r *run) name() string { return fmt.Sprintf("%s#%d", r.pipeline, r.number) }

// start makes a run and admits it. The lock is held.
func (p *Plane) start(name string, params []*runv1.Value, labels map[string]string, priority int32, from *parent) (*run, error) {
	v := p.versions[name]
	encoded, err := proto.Marshal(&runv1.Params{Values: params})
	if err != nil {
		return nil, fmt.Errorf("encode params: %w", err)
	}
	r := &run{
		id: id.New(), pipeline: name, number: 1, version: v, params: encoded, labels: labels, priority: priority,
		actor: p.config.Actor, created: p.now(), parent: from,
		bodies: map[int64]upstream.Body{}, opened: map[int32]*opened{}, timers: map[timerKey]engine.Timer{},
	}
	for _, other := range p.order {
		if other.pipeline == name {
			r.number++
		}
	}
	r.state, r.view = engine.NewState(r.id), rundb.Follow(v.graph, r.id)
	p.runs[r.id] = r
	p.order = append(p.order, r)
	return r, p.decide(r, engine.Start{Now: p.now(), Actor: r.actor}, nil)
}

// decide runs a command and keeps what it decides. Only a refusal leaves the run
// as it was; any other error is one of this program. The lock is held.
func (p *Plane) decide(r *run, c engine.Command, body []byte) error {
	d, err := engine.Decide(r.version.graph, r.state, c)
	if err != nil {
		if !isRefusal(err) {
			p.fail(err)
		}
		return err
	}
	for i := range d.Entries {
		p.append(r, &d.Entries[i], bodyOf(r, c, &d.Entries[i], i, body))
	}
	for _, task := range d.Closed {
		delete(r.opened, task)
		delete(r.timers, timerKey{engine.TimerQueue, task})
		delete(r.timers, timerKey{engine.TimerHold, task})
	}
	for i := range d.Opened {
		p.open(r, d.Opened[i])
	}
	for _, t := range d.Timers {
		r.timers[timerKey{t.Kind, t.Task}] = t
		p.soon(t.At)
	}
	for _, stop := range d.Stop {
		p.stop(r, stop)
	}
	p.family(r, &d)
	return nil
}

// bodyOf is what stands beside the i-th entry of a decision: what the command
// brought, or the payload of the signal that a task took.
func bodyOf(r *run, c engine.Command, e *engine.Entry, i int, body []byte) []byte {
	if e.Detail != nil && e.Detail.From != 0 {
		return r.bodies[e.Detail.From].Bytes
	}
	switch c := c.(type) {
	case engine.Report:
		if e.EndsLease() && e.Lease == c.Lease.ID {
			return body
		}
	case engine.ChildEnded:
		if i == 0 {
			return body
		}
	case engine.Signal:
		if e.Kind == engine.KindSignalReceived {
			return body
		}
	}
	return nil
}

// append writes an entry, and ends the lease that it ends.
func (p *Plane) append(r *run, e *engine.Entry, body []byte) {
	row := journal.Row{Entry: *e, Generation: r.state.Generation}
	if e.Task >= 0 {
		row.Path = r.version.graph.Path(r.state, e.Task)
	}
	if body != nil {
		outcome := e.Outcome.String()
		if e.Kind == engine.KindTaskEnded {
			outcome = e.Next.String()
		}
		r.bodies[e.Seq] = upstream.Body{Seq: e.Seq, Agent: e.Agent, Outcome: outcome, Bytes: body}
	}
	r.journal = append(r.journal, row)
	if err := r.view.Add(row, failureOf(e, body)); err != nil {
		p.fail(err)
	}
	if e.EndsLease() {
		if !e.Started.IsZero() {
			p.begun(p.leases[e.Lease])
		}
		delete(p.leases, e.Lease)
	}
}

// failureOf is a body as far as a view shows it: what a failed attempt left.
func failureOf(e *engine.Entry, body []byte) []byte {
	if e.Outcome == engine.OutcomeSucceeded || e.Outcome == engine.OutcomeSkipped {
		return nil
	}
	return body
}

// live lists the leases of a run.
func (p *Plane) live(r *run) []engine.Lease {
	var out []engine.Lease
	for _, l := range p.leases {
		if l.run == r {
			out = append(out, l.engine())
		}
	}
	return out
}

// liveIfStops is live for a command that tells others to stop only if the plan
// says so.
func (p *Plane) liveIfStops(r *run) []engine.Lease {
	if !r.version.graph.StopsOnFailure() {
		return nil
	}
	return p.live(r)
}

// At reads bodies of a run's journal.
func (p *Plane) At(_ context.Context, of id.UUID, seqs []int64) ([]upstream.Body, error) {
	var out []upstream.Body
	r := p.runs[of]
	if r == nil {
		return nil, nil
	}
	for _, seq := range seqs {
		if b, ok := r.bodies[seq]; ok {
			out = append(out, b)
		}
	}
	return out, nil
}
