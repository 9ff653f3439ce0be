package advance_test

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/leasecheck"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// seen is what agents, reapers and people saw of leases: the history that must
// be one of a register that does one thing at a time.
type seen struct {
	mu     sync.Mutex
	began  time.Time
	leases []*leasecheck.Op // of any task: the journal tells at the end
	forced map[*leasecheck.Op]id.UUID
}

func newSeen() *seen { return &seen{began: time.Now(), forced: map[*leasecheck.Op]id.UUID{}} }

func (s *seen) now() time.Duration { return time.Since(s.began) }

// begin notes that somebody asks for something. Whoever hears no answer leaves
// it so.
func (s *seen) begin(kind leasecheck.Kind, lease int64) *leasecheck.Op {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := &leasecheck.Op{Kind: kind, Lease: lease, Call: s.now()}
	s.leases = append(s.leases, op)
	return op
}

func (s *seen) end(op *leasecheck.Op, answer leasecheck.Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.Answer, op.Return = answer, s.now()
}

// granted notes a lease that came with the answer to a call.
func (s *seen) granted(lease int64, call time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases = append(s.leases, &leasecheck.Op{Kind: leasecheck.Grant, Lease: lease, Answer: leasecheck.Done, Call: call, Return: s.now()})
}

func (s *seen) reports(list []advance.AttemptReport) []*leasecheck.Op {
	var ops []*leasecheck.Op
	for i := range list {
		ops = append(ops, s.begin(leasecheck.Report, list[i].Lease))
	}
	return ops
}

func (s *seen) status(op *leasecheck.Op, status advance.ReportStatus) {
	switch status {
	case advance.ReportAccepted:
		s.end(op, leasecheck.Accepted)
	case advance.ReportStale:
		s.end(op, leasecheck.Stale)
	case advance.ReportRetry: // it may have been recorded, or not
	}
}

// force notes that a run is ended by force.
func (s *seen) force(run id.UUID) *leasecheck.Op {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := &leasecheck.Op{Call: s.now()}
	s.forced[op] = run
	return op
}

// watched is an Advancer whose losses are seen.
type watched struct {
	*advance.Advancer

	seen *seen
}

// Lose is the Advancer's.
func (w watched) Lose(ctx context.Context, c advance.Lose) error {
	op := w.seen.begin(leasecheck.Lose, c.Lease)
	err := w.Advancer.Lose(ctx, c)
	if err == nil {
		w.seen.end(op, leasecheck.Done)
	}
	return err
}

// checkHistory asks whether the leases were linearizable. The journal only tells
// which task a lease was of.
func (s *storm) checkHistory() {
	s.t.Helper()
	rows, err := s.super.Query(context.Background(), `
		SELECT lease, run_id, task, coalesce((convert_from(detail, 'UTF8')::jsonb ->> 'rank')::int, 0) FROM journal WHERE lease <> 0`)
	require.NoError(s.t, err)
	tasks := map[int64]leasecheck.Task{}
	for rows.Next() {
		var lease int64
		var run id.UUID
		var task, rank int32
		require.NoError(s.t, rows.Scan(&lease, &run, &task, &rank))
		tasks[lease] = leasecheck.Task{Run: run, Task: task*plan.MaxGangSize + rank} // each member is a register of its own
	}
	require.NoError(s.t, rows.Err())
	var h leasecheck.History
	for _, op := range s.seen.leases {
		task, known := tasks[op.Lease]
		require.True(s.t, known, "lease %d never ended", op.Lease)
		h.Add(task, *op)
	}
	children := s.children()
	for op, run := range s.seen.forced {
		h.AddForce(run, *op)
		for _, child := range children[run] {
			h.AddForce(child, leasecheck.Op{Call: op.Call}) // some time later, or never
		}
	}
	for lease, task := range tasks {
		h.Unseen(task, lease)
	}
	require.NoError(s.t, h.Check(time.Minute), "seed %d", s.seed)
	s.t.Logf("a history of %d operations on leases is linearizable", h.Len())
}

// children are the runs that tasks of a run started: what ends a run by force
// ends them as well.
func (s *storm) children() map[id.UUID][]id.UUID {
	s.t.Helper()
	rows, err := s.super.Query(context.Background(), `SELECT parent_run, id FROM run WHERE parent_run IS NOT NULL`)
	require.NoError(s.t, err)
	out := map[id.UUID][]id.UUID{}
	var parent, child id.UUID
	_, err = pgx.ForEachRow(rows, []any{&parent, &child}, func() error {
		out[parent] = append(out[parent], child)
		return nil
	})
	require.NoError(s.t, err)
	return out
}
