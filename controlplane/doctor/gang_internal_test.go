package doctor

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// A gang is leased whole; members leave by an entry that says so, and in no other
// way.
func TestAGangThatIsPartlyLeasedIsFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := b.tenant("acme")
	run := n.start(n.deploy(&plan.Plan{Name: "gang", Tasks: []plan.Task{{Name: "train", Gang: &plan.Gang{Size: 3, Spread: plan.SpreadAny}}}}))
	alone := n.start(n.deploy(&plan.Plan{Name: "alone", Tasks: []plan.Task{{Name: "only"}}}))
	work, err := b.a.Poll(t.Context(), advance.Poll{Org: n.org, Agent: n.agent, Session: n.session, Free: advance.Free{Slots: 4}})
	require.NoError(t, err)
	require.Len(t, work.Leases, 4)
	for _, l := range work.Leases {
		if l.Gang != nil && l.Gang.Rank == 1 {
			n.end(l, engine.OutcomeSucceeded)
		}
	}
	b.a.Stop()
	conn, args := pgtest.Super(t, b.db.URL()), pgx.NamedArgs{"run": run.Run, "alone": alone.Run}
	says := "dispatch, " + id.Format(id.Org, n.org) + `: task "train" of ` + id.Format(id.Run, run.Run) + " "
	require.Empty(t, examine(t, conn, `SELECT 1`, nil), "one has ended, two are there")
	for fault, want := range map[string]string{
		`DELETE FROM lease WHERE run_id = @run AND rank = 2`:                                                                          says + "is leased to a gang of 3, but 1 members are there and 1 have ended.",
		`UPDATE lease SET gang = 4 WHERE run_id = @run`:                                                                               says + "is leased to a gang of 4, but 2 members are there and 1 have ended.",
		`UPDATE lease SET rank = 3 WHERE run_id = @run AND rank = 2`:                                                                  says + "is leased to a gang of 3, but 2 members are there and 1 have ended.",
		`UPDATE lease SET gang = NULL, rank = 0 WHERE run_id = @run AND rank = 0; DELETE FROM lease WHERE run_id = @run AND rank = 2`: says + "is a gang, but is leased to one agent alone.",
		`UPDATE lease SET gang = 2 WHERE run_id = @alone`: "dispatch, " + id.Format(id.Org, n.org) + `: task "only" of ` + id.Format(id.Run, alone.Run) +
			" is no gang, but is leased to members of one.",
	} {
		require.Equal(t, []string{want}, examine(t, conn, fault, args), fault)
	}
}
