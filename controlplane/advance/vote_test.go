package advance_test

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

func (b *bundle) vote(run id.UUID, who string, reject bool) error {
	b.t.Helper()
	return b.a.Vote(b.t.Context(), advance.Vote{
		RunKey: b.key(run), Task: "gate", Actor: who, Reject: reject,
		Event: audit.Event{
			OrgID: b.org, Actor: audit.Actor{Type: audit.ActorUser, ID: id.UUID{1}}, Action: "approval.vote",
			Resource: id.Format(id.Run, run), Outcome: audit.OutcomeDone, Personal: audit.Personal{ActorName: who},
		},
	})
}

// verified is how many entries the organization's audit log has, all intact.
func (b *bundle) verified() int {
	b.t.Helper()
	var v tenancydb.Verification
	require.NoError(b.t, pg.InSystem(b.t.Context(), b.db.Engine, func(tx pgx.Tx) (err error) {
		v, err = tenancydb.VerifyAuditChain(b.t.Context(), tx, b.org)
		return err
	}))
	require.Zero(b.t, v.BrokenAt, v.Why)
	return int(v.Entries)
}

func gated(a plan.Approve) *plan.Plan {
	return &plan.Plan{Name: "gated", Tasks: []plan.Task{{Name: "gate", Approve: &a}, {Name: "b", Needs: []int{0}}}}
}

func TestVotesOpenAGate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	c := b.deploy(gated(plan.Approve{Required: 2, NotRequester: true, Timeout: 3_600_000}))
	c.Actor = "usr_a"
	run := b.start(c)
	require.Equal(t, 1, b.count("approval"))
	err := b.vote(run, "usr_a", false)
	require.Equal(t, fault.Reason("FOUR_EYES"), fault.ReasonOf(err))
	require.Equal(t, fault.KindPermissionDenied, fault.KindOf(err))
	require.Zero(t, b.verified(), "a vote that does not count is no entry")

	require.NoError(t, b.vote(run, "usr_b", false))
	require.NoError(t, b.vote(run, "usr_b", false), "again")
	require.Equal(t, 1, queryOne[int](b, `SELECT approved FROM approval`, nil))
	require.Empty(t, w.poll(1, 0).Leases)
	require.NoError(t, b.vote(run, "usr_c", false))
	require.NoError(t, b.vote(run, "usr_c", false), "again")
	require.Len(t, w.poll(1, 0).Leases, 1)
	require.Zero(t, b.count("approval"))
	require.Zero(t, b.count("timer"))
	require.Equal(t, 2, b.verified())
	require.Equal(t, fault.Reason("APPROVAL_CLOSED"), fault.ReasonOf(b.vote(run, "usr_d", false)))
}

func TestARejectionSaysWhose(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.start(b.deploy(gated(plan.Approve{})))
	require.NoError(t, b.vote(run, "usr_b", true))
	require.Equal(t, "failed", b.state(run))
	require.Equal(t, "gate rejected by usr_b", queryOne[string](b, `SELECT reason FROM run`, nil))
	require.Zero(t, b.count("approval"))
}

// Votes that meet in one batch, or in two replicas, keep the chain whole.
func TestVotesOfManyKeepTheAuditLogWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := *b
	second.a = b.replica()
	var runs []id.UUID
	c := b.deploy(gated(plan.Approve{Required: 3}))
	for range 4 {
		runs = append(runs, b.start(c))
	}
	var wg sync.WaitGroup
	for i, run := range runs {
		for k, who := range []string{"usr_a", "usr_b", "usr_c"} {
			from := []*bundle{b, &second}[(i+k)%2]
			wg.Go(func() {
				require.NoError(t, from.vote(run, who, false))
			})
		}
	}
	wg.Wait()
	require.Equal(t, 12, b.verified())
	require.Zero(t, b.count("approval"))
	require.Equal(t, 4, b.count("ready"))
}

func TestWhatEndsARunClosesItsApprovals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.start(b.deploy(gated(plan.Approve{})))
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: b.key(run)}))
	require.Equal(t, "canceled", b.state(run))
	require.Zero(t, b.count("approval"))
	require.NoError(t, b.a.RetryRun(t.Context(), advance.RetryRun{RunKey: b.key(run)}))
	require.Equal(t, 1, b.count("approval"))
	_, found := fault.As(b.a.Vote(t.Context(), advance.Vote{RunKey: b.key(run), Task: "nothing"}))
	require.True(t, found)
}
