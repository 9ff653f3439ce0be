package runapi_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

func sameAsRead(b *bundle, run *runv1.Run) {
	b.t.Helper()
	read, _ := b.get(run.GetId())
	require.True(b.t, proto.Equal(read, run), "read:    %v\nstarted: %v", read, run)
}

func TestAStartSaysWhatReadingWould(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{
		Name: "plain", Labels: map[string]string{"team": "risk"}, Tasks: []plan.Task{{Name: "a"}, {Name: "b", Needs: []int{0}}},
		Params: []plan.Param{{Name: "lr", Type: plan.TypeFloat, Open: true}},
	})
	for range 2 {
		res, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{
			Pipeline: "plain", Params: []*runv1.Value{open("lr", "0.5")}, Labels: map[string]string{"x": "y"}, Priority: 7,
		})
		require.NoError(t, err)
		require.True(t, res.GetCreated())
		sameAsRead(b, res.GetRun())
	}
}

func TestAKeysStartSaysWhoItIs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "plain", Tasks: []plan.Task{{Name: "a"}}})
	key := b.by
	key.Principal = authz.Principal{
		Kind: authz.KindServiceAccount, KeyID: key.OrgID, KeyName: "ci", OrgID: key.OrgID, WorkspaceID: key.WorkspaceID, OrgState: authz.StateActive,
	}
	b.exec(`INSERT INTO api_key (org_id, id, name, hash, last4, created_at, expires_at)
		VALUES (@org, @org, 'ci', sha256('x'), 'abcd', now(), now() + interval '1 day')`, pgx.NamedArgs{"org": key.OrgID})
	res, err := b.h.StartRun(caller.With(t.Context(), key), &runv1.StartRunRequest{Pipeline: "plain"})
	require.NoError(t, err)
	require.Equal(t, "ci", res.GetRun().GetActor())
	require.Equal(t, "key", res.GetRun().GetCause())
	sameAsRead(b, res.GetRun())
}

func TestAStartTakesWhatIsDeployedNow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "plain", Tasks: []plan.Task{{Name: "a"}}})
	first, again := b.start("plain"), b.start("plain")
	require.Equal(t, first.GetVersion(), again.GetVersion())

	b.deploy(&plan.Plan{Name: "plain", Tasks: []plan.Task{{Name: "a"}, {Name: "b"}}})
	second := b.start("plain")
	require.NotEqual(t, first.GetVersion(), second.GetVersion())
	require.EqualValues(t, 2, second.GetTasksTotal())
	require.EqualValues(t, 3, second.GetNumber(), "what was refused took no number")

	b.deploy(&plan.Plan{Name: "plain", Tasks: []plan.Task{{Name: "a"}}, Params: []plan.Param{{Name: "lr", Type: plan.TypeFloat, Open: true, Required: true}}})
	_, err := b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "plain"})
	require.Equal(t, fault.Reason("PARAM_INVALID"), fault.ReasonOf(err), "judged by the new version")
	b.start("plain", open("lr", "1"))

	b.exec(`UPDATE pipeline SET paused = true`, nil)
	run := b.start("plain", open("lr", "1"))
	require.Equal(t, "pending", run.GetState())
	sameAsRead(b, run)

	b.exec(`UPDATE pipeline SET paused = false, deployed = NULL`, nil)
	_, err = b.h.StartRun(b.ctx(), &runv1.StartRunRequest{Pipeline: "plain", Params: []*runv1.Value{open("lr", "1")}})
	require.Equal(t, fault.Reason("VERSION_NOT_DEPLOYED"), fault.ReasonOf(err))
	_, err = b.h.StartRun(b.neighbour(), &runv1.StartRunRequest{Pipeline: "plain"})
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
}
