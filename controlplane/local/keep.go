package local

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Kept is a run as it is written down.
type Kept struct {
	Run      id.UUID
	Pipeline string
	Number   int64
	Plan     []byte
	Digest   engine.StateDigest

	journal []journal.Row
	bodies  map[int64][]byte
}

// Kept lists all runs as they stand, the first one first.
func (p *Plane) Kept() []Kept {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Kept, 0, len(p.order))
	for _, r := range p.order {
		k := Kept{
			Run: r.id, Pipeline: r.pipeline, Number: r.number, Plan: r.version.bytes, Digest: r.state.Digest(),
			journal: r.journal, bodies: map[int64][]byte{},
		}
		for seq, b := range r.bodies {
			k.bodies[seq] = b.Bytes
		}
		out = append(out, k)
	}
	return out
}

// line is an entry as a journal file has it, one a line. Words instead of the
// engine's numbers: people read it, too.
type line struct {
	V          int16           `json:"v"`
	Seq        int64           `json:"seq"`
	At         time.Time       `json:"at"`
	Kind       string          `json:"kind"`
	Task       int32           `json:"task"`
	Path       string          `json:"path,omitempty"`
	Attempt    int32           `json:"attempt,omitempty"`
	Generation int32           `json:"generation"`
	Lease      int64           `json:"lease,omitempty"`
	Agent      *id.UUID        `json:"agent,omitempty"`
	Granted    time.Time       `json:"granted,omitzero"`
	Started    time.Time       `json:"started,omitzero"`
	Finished   time.Time       `json:"finished,omitzero"`
	Outcome    string          `json:"outcome,omitempty"`
	Cause      string          `json:"cause,omitempty"`
	ExitCode   int32           `json:"exit_code,omitempty"`
	Next       string          `json:"next,omitempty"`
	RetryAt    time.Time       `json:"retry_at,omitzero"`
	Reason     string          `json:"reason,omitempty"`
	Actor      string          `json:"actor,omitempty"`
	Detail     json.RawMessage `json:"detail,omitempty"`
	// Body is an encoded signalbox.run.v1.Body.
	Body []byte `json:"body,omitempty"`
}

// Write writes the journal as JSON lines.
func (k *Kept) Write(to io.Writer) error {
	out := json.NewEncoder(to)
	out.SetEscapeHTML(false)
	for i := range k.journal {
		e := &k.journal[i]
		l := line{
			V: e.V, Seq: e.Seq, At: e.At, Kind: e.Kind.String(), Task: e.Task, Path: e.Path, Attempt: e.Attempt, Generation: e.Generation,
			Lease: e.Lease, Granted: e.Granted, Started: e.Started, Finished: e.Finished,
			Outcome: e.Outcome.String(), Cause: e.Cause.String(), ExitCode: e.ExitCode, RetryAt: e.RetryAt,
			Reason: e.Reason, Actor: e.Actor, Body: k.bodies[e.Seq],
		}
		if e.Task >= 0 {
			l.Next = e.Next.String()
		}
		if e.Agent != id.Nil {
			l.Agent = &e.Agent
		}
		var err error
		if l.Detail, err = e.Detail.Encode(); err != nil {
			return err
		}
		if err := out.Encode(l); err != nil {
			return fmt.Errorf("write the journal: %w", err)
		}
	}
	return nil
}

// ReadJournal reads what Write wrote.
func ReadJournal(from io.Reader) ([]journal.Row, error) {
	var out []journal.Row
	in := json.NewDecoder(bufio.NewReader(from))
	for in.More() {
		var l line
		if err := in.Decode(&l); err != nil {
			return nil, fmt.Errorf("read the journal: %w", err)
		}
		row, err := l.row()
		if err != nil {
			return nil, fmt.Errorf("read entry %d: %w", l.Seq, err)
		}
		out = append(out, row)
	}
	return out, nil
}

func (l *line) row() (journal.Row, error) {
	row := journal.Row{Path: l.Path, Generation: l.Generation, Entry: engine.Entry{
		V: l.V, Seq: l.Seq, At: l.At, Task: l.Task, Attempt: l.Attempt, Lease: l.Lease, Granted: l.Granted, Started: l.Started,
		Finished: l.Finished, ExitCode: l.ExitCode, RetryAt: l.RetryAt, Reason: l.Reason, Actor: l.Actor,
	}}
	if l.Agent != nil {
		row.Agent = *l.Agent
	}
	var err error
	if row.Kind, err = engine.ParseKind(l.Kind); err != nil {
		return row, err
	}
	if row.Outcome, err = engine.ParseOutcome(l.Outcome); err != nil {
		return row, err
	}
	if row.Cause, err = engine.ParseCause(l.Cause); err != nil {
		return row, err
	}
	if l.Next != "" {
		if row.Next, err = engine.ParseTaskState(l.Next); err != nil {
			return row, err
		}
	}
	row.Detail, err = engine.DecodeDetail(l.Detail)
	return row, err
}
