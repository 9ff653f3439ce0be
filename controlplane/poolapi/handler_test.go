package poolapi_test

import (
	"context"
	"crypto/rand"
	"math"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

func TestPoolsAreMadeAndChanged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	made, err := b.h.CreatePool(ctx, &poolv1.CreatePoolRequest{Name: "gpu-eu", Slots: 4})
	require.NoError(t, err)
	require.EqualValues(t, 4, made.GetPool().GetSlots())
	_, err = b.h.CreatePool(ctx, &poolv1.CreatePoolRequest{Name: "gpu-eu"})
	require.Equal(t, fault.KindAlreadyExists, fault.KindOf(err))
	_, err = b.h.CreatePool(ctx, &poolv1.CreatePoolRequest{Name: "GPU"})
	require.Equal(t, fault.KindInvalid, fault.KindOf(err))

	paused, note := true, "driver update"
	changed, err := b.h.UpdatePool(ctx, &poolv1.UpdatePoolRequest{Name: "gpu-eu", Paused: &paused, PauseNote: &note})
	require.NoError(t, err)
	require.True(t, changed.GetPool().GetPaused())
	require.Equal(t, note, changed.GetPool().GetPauseNote())
	require.EqualValues(t, 4, changed.GetPool().GetSlots(), "not given, not changed")
	require.Empty(t, pgtest.Changes(t, b.db, func() {
		_, err := b.h.UpdatePool(ctx, &poolv1.UpdatePoolRequest{Name: "gpu-eu", Paused: &paused})
		require.NoError(t, err)
	}), "nothing changed, nothing to audit")
	resumed := false
	changed, err = b.h.UpdatePool(ctx, &poolv1.UpdatePoolRequest{Name: "gpu-eu", Paused: &resumed})
	require.NoError(t, err)
	require.Empty(t, changed.GetPool().GetPauseNote())

	list, err := b.h.ListPools(ctx, &poolv1.ListPoolsRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"default", "gpu-eu"}, []string{list.GetPools()[0].GetName(), list.GetPools()[1].GetName()})
	require.Equal(t, 3, queryOne[int](b, `SELECT count(*) FROM audit_entry WHERE action LIKE 'pool.%'`, nil))
}

func TestAJoinTokenIsShownOnceAndKeptAsAHash(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	res, err := b.h.CreateJoinToken(ctx, &poolv1.CreateJoinTokenRequest{Pool: "default"})
	require.NoError(t, err)
	secret, err := token.ParseKind(token.Join, res.GetToken())
	require.NoError(t, err)
	require.Equal(t, "signalbox-agent start --server https://signalbox.example --token "+res.GetToken(), res.GetCommand())
	row := pgx.NamedArgs{"hash": secret.Hash()}
	require.Equal(t, 1, queryOne[int](b, `SELECT uses_left FROM join_token WHERE hash = @hash`, row))
	require.True(t, queryOne[bool](b, `SELECT expires_at BETWEEN now() + interval '23 hours' AND now() + interval '24 hours' FROM join_token WHERE hash = @hash`, row))

	for name, req := range map[string]*poolv1.CreateJoinTokenRequest{
		"hours":       {Pool: "default", Hours: 721},
		"at most 720": {Pool: "default", Hours: math.MaxUint32},
		"uses":        {Pool: "default", Uses: 1001},
	} {
		_, err := b.h.CreateJoinToken(ctx, req)
		require.ErrorContains(t, err, name)
	}
	by := caller.From(ctx)
	by.OrgState = authz.StateRestricted
	_, err = b.h.CreateJoinToken(caller.With(ctx, by), &poolv1.CreateJoinTokenRequest{Pool: "default"})
	require.Equal(t, fault.KindPermissionDenied, fault.KindOf(err))
}

// A token that has come into wrong hands can be taken out of them.
func TestJoinTokensOfAPoolAreRevoked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	_, err := b.h.CreatePool(ctx, &poolv1.CreatePoolRequest{Name: "gpu"})
	require.NoError(t, err)
	for _, pool := range []string{"default", "default", "gpu"} {
		_, err := b.h.CreateJoinToken(ctx, &poolv1.CreateJoinTokenRequest{Pool: pool, Uses: 10})
		require.NoError(t, err)
	}
	for _, want := range []uint32{2, 0} { // repeating it is fine
		res, err := b.h.RevokeJoinTokens(ctx, &poolv1.RevokeJoinTokensRequest{Pool: "default"})
		require.NoError(t, err)
		require.Equal(t, want, res.GetRevoked())
	}
	require.Equal(t, 10, queryOne[int](b, `SELECT sum(uses_left) FROM join_token`, nil), "that of the other pool is as it was")
	require.Equal(t, `{"pool":"default","revoked":2}`, queryOne[string](b, `SELECT detail FROM audit_entry WHERE action = 'pool.revoke_join_tokens'`, nil))
}

func TestAgentsAreSeenThroughTheirSessions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	by := caller.From(ctx)
	key, err := seal.Generate(rand.Reader)
	require.NoError(t, err)
	b.exec(`UPDATE workspace SET sealing_kid = @kid, sealing_public = @public WHERE id = @ws`,
		pgx.NamedArgs{"kid": key.KID().String(), "public": key.Public().Bytes(), "ws": by.WorkspaceID})
	w := b.worker(by, key.KID().String())
	b.worker(by)
	b.run(by)
	work, err := b.a.Poll(ctx, advance.Poll{Org: by.OrgID, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: 4, GPUs: 3}})
	require.NoError(t, err)
	require.Len(t, work.Leases, 1)

	res, err := b.h.GetPool(ctx, &poolv1.GetPoolRequest{Name: "default"})
	require.NoError(t, err)
	require.EqualValues(t, 1, res.GetPool().GetLeased())
	require.EqualValues(t, 0, res.GetPool().GetReady())
	require.EqualValues(t, 2, res.GetPool().GetAgentsOnline())
	require.Equal(t, key.Fingerprint(), res.GetSealingKey().GetFingerprint())
	agents := byID(res.GetAgents())
	mine := agents[id.Format(id.Agent, w.agent)]
	require.Equal(t, "online", mine.GetState())
	require.True(t, mine.GetHoldsSealingKey())
	require.EqualValues(t, 1, mine.GetLeases())
	require.EqualValues(t, 3, mine.GetGpus())
	require.EqualValues(t, 2, mine.GetGpusUsed())
	require.Equal(t, "a100", mine.GetGpuType())
	for i, a := range agents {
		if i != mine.GetId() {
			require.Zero(t, a.GetGpusUsed())
		}
	}
	require.Equal(t, map[string]string{"zone": "eu"}, mine.GetLabels())
	require.NotNil(t, mine.GetSeenAt())
	require.Equal(t, "0.1.0", mine.GetVersion())

	b.exec(`DELETE FROM session WHERE id <> @session`, pgx.NamedArgs{"session": w.session})
	res, err = b.h.GetPool(ctx, &poolv1.GetPoolRequest{Name: "default"})
	require.NoError(t, err)
	require.Equal(t, "offline", res.GetAgents()[1].GetState())
	require.NotNil(t, res.GetAgents()[1].GetSeenAt(), "also after its session is gone")
	require.False(t, res.GetAgents()[1].GetHoldsSealingKey())
	require.EqualValues(t, 1, res.GetPool().GetAgentsOnline())

	b.exec(`UPDATE agent SET session_until = NULL`, nil)
	list, err := b.h.ListAgents(ctx, &poolv1.ListAgentsRequest{Pool: "default"})
	require.NoError(t, err)
	require.Nil(t, list.GetAgents()[1].GetSeenAt(), "never")
}

func byID(list []*poolv1.Agent) map[string]*poolv1.Agent {
	out := map[string]*poolv1.Agent{}
	for _, a := range list {
		out[a.GetId()] = a
	}
	return out
}

func TestARevokedAgentLosesItsWorkAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	by := caller.From(ctx)
	w := b.worker(by)
	b.run(by)
	poll := advance.Poll{Org: by.OrgID, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: 4, GPUs: 3}}
	work, err := b.a.Poll(ctx, poll)
	require.NoError(t, err)
	require.Len(t, work.Leases, 1)

	req := &poolv1.RevokeAgentRequest{Id: id.Format(id.Agent, w.agent)}
	_, err = b.h.RevokeAgent(ctx, req)
	require.NoError(t, err)
	require.Zero(t, queryOne[int](b, `SELECT count(*) FROM lease`, nil))
	require.Equal(t, 1, queryOne[int](b, `SELECT count(*) FROM ready`, nil), "the task goes elsewhere")
	_, err = b.a.Poll(ctx, poll)
	require.Equal(t, fault.Reason("SESSION_EXPIRED"), fault.ReasonOf(err))
	list, err := b.h.ListAgents(ctx, &poolv1.ListAgentsRequest{})
	require.NoError(t, err)
	require.Equal(t, "revoked", list.GetAgents()[0].GetState())

	_, err = b.h.RevokeAgent(ctx, req)
	require.NoError(t, err, "again")
	require.Equal(t, 1, queryOne[int](b, `SELECT count(*) FROM audit_entry WHERE action = 'agent.revoke'`, nil))
}

func TestNoKeyIsNoError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	res, err := b.h.GetSealingKey(b.tenant("acme"), &poolv1.GetSealingKeyRequest{})
	require.NoError(t, err)
	require.Nil(t, res.GetSealingKey())
}

func TestForeignPoolsAndAgentsAreMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mine := b.tenant("acme")
	_, err := b.h.CreatePool(mine, &poolv1.CreatePoolRequest{Name: "secret"})
	require.NoError(t, err)
	w := b.worker(caller.From(mine))
	other := caller.From(mine)
	other.WorkspaceID = id.New()
	b.exec(`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'other', 'Other')`,
		pgx.NamedArgs{"org": other.OrgID, "ws": other.WorkspaceID})

	for name, ctx := range map[string]context.Context{"organization": b.tenant("rival"), "workspace": caller.With(mine, other)} {
		for call, fn := range map[string]func(pool string) error{
			"GetPool": func(p string) error {
				_, err := b.h.GetPool(ctx, &poolv1.GetPoolRequest{Name: p})
				return err
			},
			"UpdatePool": func(p string) error {
				_, err := b.h.UpdatePool(ctx, &poolv1.UpdatePoolRequest{Name: p})
				return err
			},
			"ListAgents": func(p string) error {
				_, err := b.h.ListAgents(ctx, &poolv1.ListAgentsRequest{Pool: p})
				return err
			},
			"CreateJoinToken": func(p string) error {
				_, err := b.h.CreateJoinToken(ctx, &poolv1.CreateJoinTokenRequest{Pool: p})
				return err
			},
			"RevokeJoinTokens": func(p string) error {
				_, err := b.h.RevokeJoinTokens(ctx, &poolv1.RevokeJoinTokensRequest{Pool: p})
				return err
			},
		} {
			foreign, missing := fn("secret"), fn("nobody")
			require.Equal(t, fault.KindNotFound, fault.KindOf(foreign), "%s of another %s", call, name)
			require.Equal(t, strings.ReplaceAll(missing.Error(), "nobody", "secret"), foreign.Error())
		}
		foreign, missing := id.Format(id.Agent, w.agent), id.Format(id.Agent, id.New())
		_, errForeign := b.h.RevokeAgent(ctx, &poolv1.RevokeAgentRequest{Id: foreign})
		_, errMissing := b.h.RevokeAgent(ctx, &poolv1.RevokeAgentRequest{Id: missing})
		require.Equal(t, fault.KindNotFound, fault.KindOf(errForeign))
		require.Equal(t, strings.ReplaceAll(errMissing.Error(), missing, foreign), errForeign.Error())
		list, err := b.h.ListAgents(ctx, &poolv1.ListAgentsRequest{})
		require.NoError(t, err)
		require.Empty(t, list.GetAgents())
	}
	_, err = b.h.RevokeAgent(mine, &poolv1.RevokeAgentRequest{Id: "run_x"})
	require.Equal(t, fault.KindInvalid, fault.KindOf(err))
}
