package advance_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// waitFor polls until there is a task of the run; whatever else comes is an error.
func (w *worker) waitFor(ctx context.Context, run id.UUID) error {
	for {
		work, err := w.a.Poll(ctx, advance.Poll{Org: w.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: 1}, Wait: patience, ListsLeases: true})
		if err != nil {
			return err
		}
		if len(work.Leases) > 0 {
			if work.Leases[0].Run != run {
				return fmt.Errorf("%s of another run overtook the gang", work.Leases[0].Task)
			}
			return nil
		}
	}
}

// Small tasks never stop coming, and agents are never free at once; yet a gang of
// all of them starts when it has waited long and each has ended what it was at:
// from then on nobody gets anything else.
func TestAGangStartsInAStreamOfSmallTasks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`UPDATE pool SET reserve_after_ms = 200`, nil)
	b.start(b.deploy(wide("first", 4, nil)))
	agents, held := make([]*worker, 4), make([]*advance.Lease, 4)
	for i := range agents {
		agents[i] = b.worker(1)
		held[i] = &agents[i].poll(1, 0).Leases[0]
	}
	run := b.start(b.deploy(ganged(4, nil)))
	b.start(b.deploy(wide("stream", 1000, nil)))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var waiting sync.WaitGroup
	errs := make([]error, len(agents))
	for i, free := 0, 0; free < len(agents); i = (i + 1) % len(agents) {
		if held[i] == nil {
			continue
		}
		pause(ctx, 2*time.Millisecond)
		require.NoError(t, ctx.Err())
		w, work := agents[i], agents[i].report(1, ended(*held[i], engine.OutcomeSucceeded))
		switch {
		case len(work.Leases) == 0:
			waiting.Go(func() { errs[i] = w.waitFor(ctx, run) })
			held[i], free = nil, free+1
		case work.Leases[0].Run == run:
			held[i], free = nil, free+1
		default:
			require.Zero(t, free, "room is kept for the gang, and somebody is given a small task")
			held[i] = &work.Leases[0]
		}
	}
	waiting.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.NotZero(t, b.count("ready"), "the stream goes on")
	require.Equal(t, 4, queryOne[int](b, `SELECT count(*) FROM lease WHERE run_id = @gang AND gang = 4 AND granted_at >= ready_at + interval '200 milliseconds'`,
		pgx.NamedArgs{"gang": run}))
}

// Half of the agents speak to one replica and half to the other, always: neither
// knows enough of them for the gang, and both keep room for it.
func TestAGangStartsInAStreamBesideAnotherReplica(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`UPDATE pool SET reserve_after_ms = 200`, nil)
	one, another := b.named(), b.named()
	b.a = one.a // whoever finds the gang too large gathers, so it must be one of them
	p := &pair{list: []*advance.Advancer{one.a, another.a}, ids: []id.UUID{one.id, another.id}}
	b.start(b.deploy(wide("first", 4, nil)))
	agents, first := make([]*worker, 4), make([]*advance.Lease, 4)
	for i := range agents {
		agents[i] = b.worker(1)
		agents[i].a = p.list[i%2]
		first[i] = &agents[i].poll(1, patience).Leases[0]
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var living sync.WaitGroup
	var members atomic.Int32
	run := b.start(b.deploy(ganged(4, nil)))
	b.start(b.deploy(wide("stream", 4000, nil)))
	for i, w := range agents {
		living.Go(func() {
			held := first[i]
			for ctx.Err() == nil {
				var work *advance.Work
				var err error
				if held != nil {
					pause(ctx, time.Duration(20+i)*time.Millisecond)
					work, err = w.a.Report(ctx, advance.Report{
						Org: w.org, Agent: w.agent, Session: w.session, Reports: []advance.AttemptReport{ended(*held, engine.OutcomeSucceeded)}, Free: advance.Free{Slots: 1},
					})
				} else {
					work, err = p.poll(ctx, i%2, advance.Poll{
						Org: w.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: 1}, Wait: 5 * time.Second, ListsLeases: true,
					})
				}
				if held = nil; err != nil || len(work.Leases) == 0 {
					continue
				}
				if held = &work.Leases[0]; held.Run == run {
					members.Add(1)
					return
				}
			}
		})
	}
	living.Wait()
	require.EqualValues(t, 4, members.Load(), "the gang waited for ever")
	require.NotZero(t, b.count("ready"), "the stream goes on")
}
