package rundb

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/controlplane/replay"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Moment says how far back to look. The zero Moment is now.
type Moment struct {
	// Seq is the entry after which the run is shown; nil for a moment in time.
	Seq *int64
	// At is the moment; nil for now.
	At *time.Time
}

// Past is a run as it stood.
type Past struct {
	View

	At time.Time
	// LastSeq is the journal's length today.
	LastSeq int64
}

// ViewAt returns a run as it stood at a moment: the fold of its journal up to
// then, and on top of it who held what, which later entries and the leases that
// still live tell. Errors: NotFound, INVALID_ARGUMENT,
// JOURNAL_ARCHIVED.
func (s *Store) ViewAt(ctx context.Context, by caller.Caller, ref Ref, m Moment) (Past, error) {
	var out Past
	r := s.Reader(by, ref)
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		run, err := get(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		out, err = r.past(ctx, tx, run, m)
		return err
	})
	return out, err
}

func (r *Reader) past(ctx context.Context, tx pgx.Tx, run Run, m Moment) (Past, error) {
	out := Past{LastSeq: run.Seq}
	g, err := r.store.graph(ctx, tx, r.by.OrgID, run.PipelineID, plan.Digest(run.Digest))
	if err != nil {
		return out, err
	}
	rows, err := journal.Read(ctx, tx, r.by.OrgID, run.ID, 0)
	if err != nil {
		return out, err
	}
	if len(rows) == 0 && run.Seq > 0 {
		return out, errArchived(&run)
	}
	bodies, err := readFailures(ctx, tx, r.by.OrgID, run.ID, 0)
	if err != nil {
		return out, err
	}
	now, leases, err := readLeases(ctx, tx, r.by.OrgID, run.ID)
	if err != nil {
		return out, err
	}
	n, at, err := m.cut(&run, rows, now)
	if err != nil {
		return out, err
	}
	h := newHistory(g, run.ID)
	for i := range rows[:n] {
		if err := h.add(rows[i], bodies[rows[i].Seq]); err != nil {
			return out, fmt.Errorf("run %s: %w", id.Format(id.Run, run.ID), err)
		}
	}
	p := h.picture(h.heldAt(rows[n:], leases, at), at)
	run.become(g, h.state)
	out.At, out.Run, out.Tasks = at, run, p.tasks(p.outline())
	return out, r.name(ctx, tx, out.Tasks)
}

// cut says how many entries belong to the moment, and when it was.
func (m Moment) cut(run *Run, rows []journal.Row, now time.Time) (int, time.Time, error) {
	switch {
	case m.Seq != nil && (*m.Seq < 0 || *m.Seq > run.Seq):
		return 0, now, fault.Invalid(ReasonInvalid, "the journal of this run has the entries 1 to %d, not %d", run.Seq, *m.Seq)
	case m.Seq != nil && *m.Seq == 0:
		return 0, run.CreatedAt, nil
	case m.Seq != nil && *m.Seq < run.Seq:
		return int(*m.Seq), rows[*m.Seq-1].At, nil
	case m.Seq != nil, m.At == nil, !m.At.Before(now):
		return len(rows), now, nil
	case m.At.Before(run.CreatedAt):
		return 0, now, fault.Invalid(ReasonInvalid, "the run was not there yet: it was started at %s", run.CreatedAt.UTC().Format(time.RFC3339))
	}
	n := sort.Search(len(rows), func(i int) bool { return rows[i].At.After(*m.At) })
	return n, *m.At, nil
}

// heldAt lists who held what at a moment of the past: attempts that ended later,
// and those that are live today, as far as they were granted by then.
func (h *history) heldAt(later []journal.Row, live []lease, at time.Time) []lease {
	var out []lease
	hold := func(l lease) {
		if l.GrantedAt.IsZero() || l.GrantedAt.After(at) {
			return
		}
		l.Stop = "" // whether it was asked to by then is not kept
		l.Phase = "leased"
		if l.StartedAt != nil && !l.StartedAt.After(at) {
			l.Phase = "running"
		} else {
			l.StartedAt = nil
		}
		out = append(out, l)
	}
	for i := range later {
		e := &later[i]
		if !e.EndsLease() || e.Task < 0 || int(e.Task) >= len(h.state.Tasks) || h.state.Tasks[e.Task].Try() != e.Attempt {
			continue // it was not open yet
		}
		l := lease{Task: e.Task, Attempt: e.Attempt, AgentID: e.Agent, GrantedAt: e.Granted, ReadyAt: h.state.Tasks[e.Task].ReadyAt.Time()}
		if !e.Started.IsZero() {
			l.StartedAt = &e.Started
		}
		hold(l)
	}
	for i := range live {
		hold(live[i])
	}
	return out
}

// become makes the row what it was at a state of the journal.
func (r *Run) become(g *engine.Graph, s *engine.State) {
	r.Seq, r.State, r.Outcome, r.Reason, r.Generation = s.Seq, s.Run.String(), replay.Outcome(s), s.Reason, s.Generation
	r.StartedAt, r.FinishedAt = moment(s.StartedAt), nil
	if s.Run.Terminal() {
		r.FinishedAt = moment(s.FinishedAt)
	}
	r.TasksDone, r.TasksFailed, r.ExitsFailed = 0, s.Failed(), s.FailedExit
	if len(s.Tasks) > 0 {
		r.TasksTotal, r.TasksDone = g.Total(), g.Done(s)
	}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
