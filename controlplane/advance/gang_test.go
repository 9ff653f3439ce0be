package advance_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// ganged is a pipeline with one task that is a gang of so many.
func ganged(size int, change func(*plan.Task)) *plan.Plan {
	return wide("gang", 1, func(t *plan.Task) {
		t.Gang = &plan.Gang{Size: size}
		t.Retry.Infra = 3
		if change != nil {
			change(t)
		}
	})
}

// crew are agents with a slot each.
type crew struct {
	*bundle

	list []*worker
	held []*advance.Lease // by worker; nil: none
}

func (b *bundle) crew(n int) *crew {
	c := &crew{bundle: b, held: make([]*advance.Lease, n)}
	for range n {
		c.list = append(c.list, b.worker(1))
	}
	return c
}

// gather has all who hold nothing ask until so many hold a lease.
func (c *crew) gather(n int) []advance.Lease {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i, w := range c.list {
		if c.held[i] != nil {
			continue
		}
		wg.Go(func() {
			for ctx.Err() == nil {
				work, err := w.a.Poll(ctx, advance.Poll{Org: w.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: 1}, Wait: patience, ListsLeases: true})
				if err != nil || len(work.Leases) == 0 {
					continue
				}
				mu.Lock()
				c.held[i] = &work.Leases[0]
				if c.holding() >= n {
					cancel()
				}
				mu.Unlock()
				return
			}
		})
	}
	wg.Wait()
	require.Equal(c.t, n, c.holding())
	return c.leases()
}

func (c *crew) holding() int { return len(c.leases()) }

func (c *crew) leases() []advance.Lease {
	var out []advance.Lease
	for _, l := range c.held {
		if l != nil {
			out = append(out, *l)
		}
	}
	slices.SortFunc(out, func(x, y advance.Lease) int { return int(x.Gang.Rank - y.Gang.Rank) })
	return out
}

// of is the worker that holds a rank.
func (c *crew) of(rank int32) (*worker, advance.Lease) {
	c.t.Helper()
	for i, l := range c.held {
		if l != nil && l.Gang.Rank == rank {
			return c.list[i], *l
		}
	}
	require.Failf(c.t, "nobody holds it", "rank %d", rank)
	return nil, advance.Lease{}
}

// ends reports a member's end.
func (c *crew) ends(rank int32, change func(*advance.AttemptReport)) advance.ReportStatus {
	c.t.Helper()
	w, l := c.of(rank)
	r := ended(l, engine.OutcomeSucceeded)
	if change != nil {
		change(&r)
	}
	status := w.report(0, r).Status[0]
	for i := range c.held {
		if c.held[i] != nil && c.held[i].ID == l.ID {
			c.held[i] = nil
		}
	}
	return status
}

func as(outcome engine.Outcome) func(*advance.AttemptReport) {
	return func(r *advance.AttemptReport) { r.Outcome = outcome }
}

func (b *bundle) ending(run id.UUID) (outcome, reason string, billed int64, body []byte) {
	b.t.Helper()
	require.NoError(b.t, b.db.Engine.QueryRow(b.t.Context(), `
		SELECT outcome, reason, billed_ms, body FROM journal WHERE run_id = @run AND kind = 'attempt_ended' ORDER BY seq DESC LIMIT 1`,
		pgx.NamedArgs{"run": run}).Scan(&outcome, &reason, &billed, &body))
	return outcome, reason, billed, body
}

func TestAGangSucceedsTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.crew(3)
	b.exec(`UPDATE session SET address = '10.0.0.' || slots`, nil)
	run := b.start(b.deploy(ganged(3, nil)))
	leases := c.gather(3)
	for rank, l := range leases {
		require.Equal(t, &advance.GangMember{Rank: int32(rank), Size: 3, Rendezvous: "10.0.0.1"}, l.Gang)
		require.EqualValues(t, 1, l.Attempt)
	}
	b.exec(`UPDATE lease SET granted_at = granted_at - interval '1 minute'`, nil)
	first, l := c.of(1)
	require.Equal(t, advance.ReportAccepted, c.ends(1, nil))
	require.Equal(t, advance.ReportAccepted, first.report(0, ended(l, engine.OutcomeSucceeded)).Status[0], "while the others run")
	require.Equal(t, 2, b.count("lease"))
	require.Equal(t, advance.ReportAccepted, c.ends(0, func(r *advance.AttemptReport) { r.Body, r.Duration = []byte("of the lead"), 40*time.Millisecond }))
	require.Equal(t, "running", b.state(run))
	require.Equal(t, advance.ReportAccepted, c.ends(2, func(r *advance.AttemptReport) { r.Body = []byte("of another") }))
	require.Equal(t, "succeeded", b.state(run))
	outcome, _, billed, body := b.ending(run)
	require.Equal(t, "succeeded", outcome)
	require.EqualValues(t, 50, billed)
	require.Equal(t, "of the lead", string(body))
	require.EqualValues(t, 50, queryOne[int64](b, `SELECT sum(quantity)::bigint FROM usage WHERE meter = 'task_ms'`, nil))
	require.EqualValues(t, 1, queryOne[int64](b, `SELECT sum(quantity)::bigint FROM usage WHERE meter = 'task_attempts'`, nil))
	require.Equal(t, advance.ReportAccepted, first.report(0, ended(l, engine.OutcomeSucceeded)).Status[0], "after the end")
	require.Equal(t, advance.ReportStale, c.list[0].report(0, advance.AttemptReport{Lease: 424242, Run: run, Outcome: engine.OutcomeSucceeded}).Status[0])
}

// The first member that fails says how the attempt ends; the others stop.
func TestAGangFailsTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.crew(3)
	run := b.start(b.deploy(ganged(3, nil)))
	c.gather(3)
	c.ends(0, nil)
	c.ends(1, func(r *advance.AttemptReport) { *r = fails(r); r.Body = []byte("sealed") })
	w, l := c.of(2)
	require.Equal(t, advance.ActionStop, w.poll(0, patience, advance.Held{Lease: l.ID}).Orders[0].Action)
	require.Equal(t, "running", b.state(run))
	require.Equal(t, advance.ReportAccepted, c.ends(2, as(engine.OutcomeCanceled)))
	require.Equal(t, "failed", b.state(run))
	outcome, reason, _, body := b.ending(run)
	require.Equal(t, []string{"failed", "member 1: exit code 1", "sealed"}, []string{outcome, reason, string(body)})
	require.Zero(t, b.count("lease"))
}

func fails(r *advance.AttemptReport) advance.AttemptReport {
	return ended(advance.Lease{ID: r.Lease, Run: r.Run}, engine.OutcomeFailed)
}

// Two gangs of three on four agents run one after the other, and are never seen
// in part; when an agent is lost all members stop, and the next attempt is whole.
func TestGangsAreNeverPartlyLeased(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.crew(4)
	pipeline := b.deploy(ganged(3, nil))
	b.start(pipeline)
	b.start(pipeline)
	looking, enough := context.WithCancel(t.Context())
	var looks sync.WaitGroup
	looks.Go(func() {
		for looking.Err() == nil {
			for _, n := range b.membersOf(looking) {
				if n != 3 {
					t.Errorf("%d members", n)
				}
			}
		}
	})
	first := c.gather(3)[0].Run
	w, lost := c.of(1)
	w.expire()
	require.True(t, w.end(false))
	require.NoError(t, b.a.Lose(t.Context(), advance.Lose{RunKey: advance.RunKey{Org: b.org, Run: first}, Lease: lost.ID, Session: w.session}))
	for _, rank := range []int32{0, 2} {
		w, l := c.of(rank)
		require.Equal(t, advance.ActionStop, w.poll(0, patience, advance.Held{Lease: l.ID}).Orders[0].Action)
	}
	require.Equal(t, advance.ReportStale, w.late(lost), "the attempt goes on without it")
	c.ends(0, as(engine.OutcomeCanceled))
	require.Equal(t, "running", b.state(first))
	c.ends(2, as(engine.OutcomeCanceled))
	require.Equal(t, advance.ReportStale, w.late(lost))
	outcome, _, billed, _ := b.ending(first)
	require.Equal(t, "lost", outcome)
	require.Zero(t, billed)
	for i := range c.list {
		if c.list[i] == w {
			c.list[i], c.held[i] = b.worker(1), nil
		}
	}
	seen := map[id.UUID]int32{}
	for range 2 {
		leases := c.gather(3)
		seen[leases[0].Run] = leases[0].Attempt
		for rank, l := range leases {
			require.EqualValues(t, rank, l.Gang.Rank)
			require.Equal(t, leases[0].Run, l.Run)
		}
		for rank := range leases {
			c.ends(int32(rank), nil)
		}
	}
	enough()
	looks.Wait()
	require.Len(t, seen, 2)
	require.EqualValues(t, 2, seen[first])
	require.Zero(t, b.count("lease"))
}

// membersOf counts the members of each attempt that lives, those that have ended
// included.
func (b *bundle) membersOf(ctx context.Context) []int64 {
	rows, err := b.db.Engine.Query(ctx, `
		SELECT count(*) + (SELECT count(*) FROM journal j WHERE j.org_id = l.org_id AND j.run_id = l.run_id AND j.task = l.task
			AND j.attempt = l.attempt AND j.kind = 'member_ended' AND j.lease <> 0)
		FROM lease l GROUP BY l.org_id, l.run_id, l.task, l.attempt`)
	if err != nil {
		return nil // the looking is over
	}
	out, _ := pgx.CollectRows(rows, pgx.RowTo[int64])
	return out
}

// late reports a lease of a session that is over.
func (w *worker) late(l advance.Lease) advance.ReportStatus {
	w.t.Helper()
	work, err := w.a.Report(w.t.Context(), advance.Report{Org: w.org, Agent: w.agent, Session: w.session, Reports: []advance.AttemptReport{ended(l, engine.OutcomeSucceeded)}})
	require.NoError(w.t, err)
	return work.Status[0]
}

func TestAGangThatDoesNotStartIsGivenUp(t *testing.T) {
	t.Parallel()
	for _, started := range []int{2, 3} {
		b := setup(t)
		c := b.crew(3)
		run := b.start(b.deploy(ganged(3, func(t *plan.Task) { t.Timeouts.Start = 60_000 })))
		c.gather(3)
		b.fire(run, "gang", 0, 1) // before its time
		b.exec(`UPDATE timer SET at = at - interval '1 minute' WHERE kind = 'gang'`, nil)
		for rank := range started {
			w, l := c.of(int32(rank))
			w.poll(0, 0, advance.Held{Lease: l.ID, Phase: "running", Started: true})
		}
		b.fire(run, "gang", 0, 1)
		if started == 3 {
			require.Zero(t, queryOne[int](b, `SELECT count(*) FROM lease WHERE stop <> ''`, nil))
			continue
		}
		require.Equal(t, 3, queryOne[int](b, `SELECT count(*) FROM lease WHERE stop = 'stop'`, nil))
		for rank := range int32(3) {
			c.ends(rank, as(engine.OutcomeCanceled))
		}
		outcome, reason, _, _ := b.ending(run)
		require.Equal(t, []string{"lost", "1 of 3 members did not start in time"}, []string{outcome, reason})
		require.EqualValues(t, 2, c.gather(3)[0].Attempt)
		require.Equal(t, 1, queryOne[int](b, `SELECT count(*) FROM timer WHERE kind = 'gang' AND attempt = 2`, nil))
	}
}

func TestAGangIsEndedByForce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.crew(3)
	run := b.start(b.deploy(ganged(3, nil)))
	c.gather(3)
	c.ends(1, nil)
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: advance.RunKey{Org: b.org, Run: run}, Actor: "usr_a", Force: true}))
	require.Equal(t, "canceled", b.state(run))
	require.Zero(t, b.count("lease"))
	w, l := c.of(0)
	require.Equal(t, advance.ActionStale, w.poll(0, 0, advance.Held{Lease: l.ID}).Orders[0].Action)
	require.Equal(t, advance.ReportStale, c.ends(0, nil))
}

// Members whose answers were lost are sent again, one by one; all are told when
// somebody cancels.
func TestEachMemberIsItsOwnLease(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.crew(3)
	run := b.start(b.deploy(ganged(3, nil)))
	leases := c.gather(3)
	b.exec(`UPDATE lease SET granted_at = granted_at - interval '6 seconds'`, nil)
	w, l := c.of(2)
	again := w.poll(0, 0).Leases
	require.Len(t, again, 1)
	require.Equal(t, l.ID, again[0].ID)
	require.Equal(t, leases[2].Gang, again[0].Gang)
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: advance.RunKey{Org: b.org, Run: run}, Actor: "usr_a"}))
	require.Equal(t, 3, queryOne[int](b, `SELECT count(*) FROM lease WHERE stop = 'stop'`, nil))
	for rank := range int32(3) {
		c.ends(rank, as(engine.OutcomeCanceled))
	}
	require.Equal(t, "canceled", b.state(run))
}
