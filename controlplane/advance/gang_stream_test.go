package advance_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// untilItHas is an agent of one slot that ends whatever it has and takes what it
// gets, until that is a task of the run.
func (w *worker) untilItHas(ctx context.Context, run id.UUID, held []advance.Lease) error {
	for {
		for len(held) > 0 {
			if held[0].Run == run {
				return nil
			}
			pause(ctx, 2*time.Millisecond)
			work, err := w.a.Report(ctx, advance.Report{
				Org: w.org, Agent: w.agent, Session: w.session, Reports: []advance.AttemptReport{ended(held[0], engine.OutcomeSucceeded)}, Free: advance.Free{Slots: 1},
			})
			if err != nil {
				return err
			}
			held = work.Leases
		}
		work, err := w.a.Poll(ctx, advance.Poll{Org: w.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: 1}, Wait: patience, ListsLeases: true})
		if err != nil {
			return err
		}
		held = work.Leases
	}
}

// Small tasks never stop coming; a gang of all agents starts when it has waited
// long and each of them has ended what it was at: from that moment of the
// database's clock on, nobody is given anything before it.
func TestAGangStartsInAStreamOfSmallTasks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`UPDATE pool SET reserve_after_ms = 200`, nil)
	b.start(b.deploy(wide("first", 4, nil)))
	var agents []*worker
	var held [][]advance.Lease
	for range 4 {
		w := b.worker(1)
		agents, held = append(agents, w), append(held, w.poll(1, 0).Leases)
	}
	run := b.start(b.deploy(ganged(4, nil)))
	stream := b.start(b.deploy(wide("stream", 1000, nil)))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	errs := make([]error, len(agents))
	for i, w := range agents {
		wg.Go(func() { errs[i] = w.untilItHas(ctx, run, held[i]) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.NotZero(t, b.count("ready"), "the stream goes on")
	args := pgx.NamedArgs{"gang": run, "stream": stream}
	const due = `(SELECT min(ready_at) + interval '200 milliseconds' FROM lease WHERE run_id = @gang)`
	require.Equal(t, 4, queryOne[int](b, `SELECT count(*) FROM lease WHERE run_id = @gang AND gang = 4 AND granted_at >= `+due, args))
	require.Zero(t, queryOne[int](b, `SELECT count(*) FROM journal WHERE run_id = @stream AND lease <> 0 AND granted >= `+due, args))
}
