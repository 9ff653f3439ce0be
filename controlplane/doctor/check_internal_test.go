package doctor

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// TestACleanDatabaseHasNoDifferences: what the group commit writes is what
// doctor derives.
func TestACleanDatabaseHasNoDifferences(t *testing.T) {
	t.Parallel()
	b := setup(t)
	found, err := Check(t.Context(), b.db)
	require.NoError(t, err)
	require.Empty(t, found, "an empty one")

	h := b.history()
	found, err = Check(t.Context(), b.db)
	require.NoError(t, err)
	require.Empty(t, found)
	require.NotZero(t, b.count("usage"))
	require.NotZero(t, b.count("ready"))
	require.NotZero(t, b.count("lease"))
	require.NotZero(t, b.count("timer"))

	for _, run := range []advance.RunKey{h.leased, h.queued, h.backoff} {
		require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: run, Actor: "test", Force: true}))
		found, err = Check(t.Context(), b.db)
		require.NoError(t, err)
		require.Empty(t, found)
	}
}

// TestATimerThatIsLeftDecidesNothing: an attempt that goes straight to an agent
// that waits may leave its queue timer behind until that fires.
func TestATimerThatIsLeftDecidesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := b.tenant("acme")
	run := n.start(n.deploy(&plan.Plan{Name: "flaky", Tasks: []plan.Task{{
		Name: "only", Timeouts: plan.Timeouts{Queue: 3_600_000}, Retry: plan.Retry{User: 1, Steps: []plan.Millis{1}, Jitter: plan.JitterNone},
	}}}))
	n.end(n.take(), engine.OutcomeFailed)
	got := make(chan *advance.Work, 1)
	go func() {
		work, _ := n.a.Poll(t.Context(), advance.Poll{Org: n.org, Agent: n.agent, Session: n.session, Free: advance.Free{Slots: 1}, Wait: 20 * time.Second})
		got <- work
	}()
	require.NoError(t, b.a.Fire(t.Context(), advance.Due{RunKey: run, Kind: "retry", Task: 0, Attempt: 2}))
	work := <-got
	require.NotNil(t, work)
	require.Len(t, work.Leases, 1)
	found, err := Check(t.Context(), b.db)
	require.NoError(t, err)
	require.Empty(t, found)

	n.end(work.Leases[0], engine.OutcomeSucceeded)
	found, err = Check(t.Context(), b.db)
	require.NoError(t, err)
	require.Empty(t, found)
	require.Zero(t, b.count("timer"))
}

func (b *bundle) count(table string) (n int) {
	b.t.Helper()
	require.NoError(b.t, b.db.Engine.QueryRow(b.t.Context(), `SELECT count(*) FROM `+pgx.Identifier{table}.Sanitize()).Scan(&n))
	return n
}

func TestItChangesNothingAndComesBackToItsRole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.history()
	require.Empty(t, pgtest.Changes(t, b.db, func() {
		_, err := Check(t.Context(), b.db)
		require.NoError(t, err)
	}))
	for _, conn := range b.db.Engine.AcquireAllIdle(t.Context()) {
		var role string
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT current_user`).Scan(&role))
		require.Equal(t, "sb_engine", role)
		conn.Release()
	}
}

func TestOnlySoManyDifferencesOfAKindAreListed(t *testing.T) {
	t.Parallel()
	c := newChecker()
	for i := range maxListed + 7 {
		c.add(KindUsage, id.Nil, "difference %d.", i)
	}
	c.add(KindAudit, id.Nil, "another.")
	all := c.all()
	require.Len(t, all, maxListed+2)
	require.Equal(t, "usage: 7 more differences of this kind are not listed.", all[maxListed+1].String())
}
