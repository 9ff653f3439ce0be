package local

import (
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// lease is a live lease.
type lease struct {
	id      int64
	run     *run
	task    int32
	attempt int32
	asking  engine.Ask
	agent   id.UUID
	message *agentv1.Lease
	ready   time.Time
	granted time.Time
	sent    time.Time // the last time that the agent was told of it
	phase   string
	started time.Time
	order   *agentv1.Order // to stop
	told    bool           // the agent was told of it
	shown   bool           // it is among the started ones
}

func (l *lease) engine() engine.Lease {
	return engine.Lease{Task: l.task, Attempt: l.attempt, ID: l.id, Agent: l.agent, Granted: l.granted, Started: l.started}
}

// stop has the holder of a live lease told to end its step. The lock is held.
func (p *Plane) stop(r *run, s engine.Stop) {
	for _, l := range p.leases {
		if l.run == r && l.task == s.Task && l.attempt == s.Attempt {
			l.order = &agentv1.Order{LeaseId: l.id, Action: agentv1.Order_ACTION_STOP, GraceMs: uint32(s.Grace)}
			l.told = false
		}
	}
}

// lose ends leases that nobody will report. The lock is held.
func (p *Plane) lose(which func(*lease) bool) {
	for _, l := range p.leases {
		if !which(l) {
			continue
		}
		cmd := engine.Report{Now: p.now(), Lease: l.engine(), Finished: p.now(), Outcome: engine.OutcomeLost, Live: p.liveIfStops(l.run)}
		if err := p.decide(l.run, cmd, nil); err != nil && !isRefusal(err) {
			return
		}
	}
}
