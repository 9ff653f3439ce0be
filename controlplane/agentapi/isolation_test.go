package agentapi_test

import (
	"bytes"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/grant"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func open(name string) *runv1.Value {
	return &runv1.Value{Name: name, Type: "int", Content: &runv1.Value_OpenJson{OpenJson: []byte("7")}}
}

// What a task does not read is not its agent's to have, also where it reads no
// param at all.
func TestInputsAreWhatTheTaskReads(t *testing.T) {
	t.Parallel()
	for name, reads := range map[string]plan.Reads{
		"none": {}, "one": {Params: []string{"lr"}}, "none, but outputs": {Outputs: []plan.OutputRef{{Task: "a", Output: "x"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			acme := b.organization("acme")
			a := b.agent(acme)
			tasks := one()
			tasks[0].Reads = reads
			b.start(acme, "p", tasks, open("lr"), open("secret"))
			inputs, err := a.GetInputs(t.Context(), &agentv1.GetInputsRequest{LeaseId: a.lease(t).GetId()})
			require.NoError(t, err)
			var got []string
			for _, v := range inputs.GetParams() {
				got = append(got, v.GetName())
			}
			require.Equal(t, reads.Params, got)
		})
	}
}

// An agent reaches the plans, leases and runs of its own workspace, and of others
// learns no more than of what does not exist.
func TestAgentReachesItsOwnWorkspaceOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.organization("acme")
	victim := b.agent(acme)
	started := b.start(acme, "train", one())
	lease := victim.lease(t)
	run := id.Format(id.Run, started.Run)
	signed := func(org id.UUID) string {
		out, err := grant.Sign(b.key, time.Now(), "usr_x", id.Format(id.Org, org), run, []byte("key"))
		require.NoError(t, err)
		return out
	}

	for name, p := range map[string]place{"another organization": b.organization("umbrella"), "another workspace": b.workspace(acme.org, "other")} {
		stranger := b.agent(p)
		ctx := t.Context()
		_, err := stranger.GetPlan(ctx, &agentv1.GetPlanRequest{Pipeline: "train", Version: lease.GetVersion()})
		require.Equal(t, connect.CodeNotFound, connect.CodeOf(err), name)
		_, err = stranger.GetInputs(ctx, &agentv1.GetInputsRequest{LeaseId: lease.GetId()})
		requireReason(t, "STALE_FENCE", err)
		for _, org := range []id.UUID{acme.org, p.org} {
			_, err = stranger.GetRunValues(ctx, &agentv1.GetRunValuesRequest{RunId: run, Grant: signed(org)})
			require.Equal(t, connect.CodeNotFound, connect.CodeOf(err), name)
			require.Contains(t, err.Error(), `there is no run "`+run+`"`)
		}
		reported, err := stranger.Report(ctx, &agentv1.ReportRequest{SessionId: stranger.session, Reports: []*agentv1.AttemptReport{
			{LeaseId: lease.GetId(), RunId: run, Outcome: "failed", Cause: "user"},
		}})
		require.NoError(t, err)
		require.Equal(t, agentv1.ReportResult_STATUS_STALE_FENCE, reported.GetResults()[0].GetStatus(), name)
		_, err = stranger.Poll(ctx, &agentv1.PollRequest{SessionId: victim.session})
		requireReason(t, "SESSION_EXPIRED", err)
	}
	got, err := victim.GetRunValues(t.Context(), &agentv1.GetRunValuesRequest{RunId: run, Grant: signed(acme.org)})
	require.NoError(t, err)
	require.Empty(t, got.GetTasks())
	require.Equal(t, int64(1), queryOne[int64](b, `SELECT count(*) FROM lease`, nil))
}

// Naming the session of another agent, of the same pool even, takes nothing from
// it.
func TestSessionReplacesTheAgentsOwnOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.organization("acme")
	victim := b.agent(acme)
	b.start(acme, "train", one())
	lease := victim.lease(t)

	thief := b.agent(acme)
	thief.open(t, func(req *agentv1.OpenSessionRequest) { req.Replaces = victim.session })
	thief.open(t, func(req *agentv1.OpenSessionRequest) {
		req.Replaces, req.Adopted = victim.session, []int64{lease.GetId()}
	})
	require.Equal(t, victim.session, id.Format(id.Session, queryOne[id.UUID](b, `SELECT session_id FROM lease`, nil)))

	reported, err := victim.Report(t.Context(), &agentv1.ReportRequest{SessionId: victim.session, Reports: []*agentv1.AttemptReport{
		{LeaseId: lease.GetId(), RunId: lease.GetRunId(), Outcome: "succeeded", Started: true, DurationMs: 1},
	}})
	require.NoError(t, err)
	require.Equal(t, agentv1.ReportResult_STATUS_ACCEPTED, reported.GetResults()[0].GetStatus())
}

// A revocation bites at the next call, although the access token lives on.
func TestRevokedAgentReadsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.organization("acme")
	a := b.agent(acme)
	started := b.start(acme, "train", one())
	lease := a.lease(t)
	run := id.Format(id.Run, started.Run)
	signed, err := grant.Sign(b.key, time.Now(), "usr_x", id.Format(id.Org, acme.org), run, []byte("key"))
	require.NoError(t, err)
	revoke(b, a)

	_, err = a.GetPlan(t.Context(), &agentv1.GetPlanRequest{Pipeline: "train", Version: lease.GetVersion()})
	requireReason(t, "AGENT_REVOKED", err)
	_, err = a.GetRunValues(t.Context(), &agentv1.GetRunValuesRequest{RunId: run, Grant: signed})
	requireReason(t, "AGENT_REVOKED", err)
	_, err = a.GetInputs(t.Context(), &agentv1.GetInputsRequest{LeaseId: lease.GetId()})
	requireReason(t, "STALE_FENCE", err)
	_, err = a.OpenSession(t.Context(), &agentv1.OpenSessionRequest{Capacity: &agentv1.Capacity{Slots: 1}})
	requireReason(t, "AGENT_REVOKED", err)
	_, err = b.anonymous().CreateAccessToken(t.Context(), &agentv1.CreateAccessTokenRequest{Assertion: assertion(t, a.id, "x", a.key)})
	requireReason(t, "AGENT_REVOKED", err)
}

// A reader asks for all that a run left, which may be more than fits anywhere.
func TestRunValuesAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.organization("acme")
	a := b.agent(acme)
	started := b.start(acme, "train", one())
	run := id.Format(id.Run, started.Run)
	body, err := proto.Marshal(&runv1.Body{Outputs: []*runv1.Value{
		{Name: "x", Content: &runv1.Value_OpenJson{OpenJson: bytes.Repeat([]byte("7"), 500_000)}},
	}})
	require.NoError(t, err)
	// As a run of many tasks leaves them.
	b.exec(`INSERT INTO journal (org_id, run_id, seq, v, at, kind, task, path, attempt, agent_id, outcome, body)
		SELECT @org, @run, 1000 + n, 1, now(), 'attempt_ended', 0, 'score', n, @agent, 'succeeded', @body
		FROM generate_series(1, 40) AS n`,
		pgx.NamedArgs{"org": acme.org, "run": started.Run, "agent": id.New(), "body": body})
	signed, err := grant.Sign(b.key, time.Now(), "usr_x", id.Format(id.Org, acme.org), run, []byte("key"))
	require.NoError(t, err)
	got, err := a.GetRunValues(t.Context(), &agentv1.GetRunValuesRequest{RunId: run, Grant: signed})
	require.NoError(t, err)
	require.Len(t, got.GetTasks(), 33, "16 MiB of them")
}
