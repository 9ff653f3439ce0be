// Package report turns what an agent says of an attempt into the engine's word
// for it. It is pure: who holds the lease, and what time it is, come in with the
// call. Every control plane reads reports through it, the hosted one and the one
// of a local run, so that the same report means the same to both.
//
// It must not know how a report arrived, nor where anything is kept.
package report

import (
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Attempt is the end of one attempt as its agent tells it.
type Attempt struct {
	Lease   int64
	Run     id.UUID
	Outcome engine.Outcome
	Cause   engine.Cause
	// ExitCode of the step, if it ran.
	ExitCode int32
	Reason   string
	Started  bool
	Duration time.Duration
	// Ago is how long ago it ended when it was sent.
	Ago   time.Duration
	Final bool
	// Body is what is kept beside the entry: outputs, sealed error.
	Body []byte
	// Answer is what was decided, if the attempt was a decision.
	Answer *engine.Answer
	// Planned are tasks that the step adds.
	Planned []Planned
}

// Command is the report as the engine takes it. The lease is the live one that it
// names; Report.Live is left to the caller. Durations are the agent's own, so
// that no two machines' clocks are compared: they are counted back from now.
func (a *Attempt) Command(g *engine.Graph, s *engine.State, now time.Time, lease engine.Lease) engine.Report {
	finished := Clamp(now.Add(-a.Ago), lease.Granted, now)
	lease.Started = time.Time{}
	if a.Started {
		lease.Started = Clamp(finished.Add(-a.Duration), lease.Granted, finished)
	}
	cmd := engine.Report{
		Now: now, Lease: lease, Finished: finished, Outcome: a.Outcome, Cause: a.Cause,
		ExitCode: a.ExitCode, Final: a.Final, Reason: a.Reason, Answer: a.Answer,
	}
	addMembers(g, s, &cmd, a.Planned)
	return cmd
}

// Clamp cuts a moment to what the journal keeps, and to what can be true.
func Clamp(t, low, high time.Time) time.Time {
	t = t.Truncate(time.Millisecond)
	if t.Before(low) {
		t = low
	}
	if t.After(high) {
		t = high
	}
	return t
}
