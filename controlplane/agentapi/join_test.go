package agentapi_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/golang-jwt/jwt/v5"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

func freshKey(t *testing.T) ed25519.PublicKey {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return public
}

// Of many who show a token at once only so many get in as it has uses.
func TestJoinTokenIsUsedSoOften(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret := b.joinToken(b.organization("acme"), 3)
	errs := make(chan error, 12)
	var wg sync.WaitGroup
	for range 12 {
		key := freshKey(t)
		wg.Go(func() {
			_, err := b.anonymous().Enroll(t.Context(), &agentv1.EnrollRequest{Token: secret.Secret(), PublicKey: key, Name: "box"})
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	joined := 0
	for err := range errs {
		if err == nil {
			joined++
			continue
		}
		requireReason(t, "TOKEN_USED", err)
	}
	require.Equal(t, 3, joined)
	require.Equal(t, int64(3), queryOne[int64](b, `SELECT count(*) FROM agent`, nil))
}

// Whom a secret that was passed on has let in can be found out later.
func TestJoiningIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.organization("acme")
	a := b.agent(acme)
	key, err := seal.Generate(rand.Reader)
	require.NoError(t, err)
	for range 2 { // the second offer changes nothing
		_, err = a.OfferSealingKey(t.Context(), &agentv1.OfferSealingKeyRequest{Kid: key.KID().String(), PublicKey: key.Public().Bytes()})
		require.NoError(t, err)
	}
	require.Equal(t, "agent.join workspace.set_sealing_key", queryOne[string](b,
		`SELECT string_agg(action, ' ' ORDER BY seq) FROM audit_entry WHERE org_id = @org AND workspace_id = @ws AND actor_type = 'agent'`,
		pgx.NamedArgs{"org": acme.org, "ws": acme.workspace}))
	detail := queryOne[string](b, `SELECT detail FROM audit_entry WHERE action = 'agent.join'`, nil)
	require.Contains(t, detail, `"agent":"box"`)
	require.Contains(t, detail, `"join_token":"jt_`)
	require.NotContains(t, detail, "sbj_")
	require.Equal(t, "127.0.0.1", queryOne[string](b, `SELECT ip FROM audit_personal LIMIT 1`, nil))
}

func TestNoAgentJoinsWhileTheBillIsOpen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.organization("acme")
	secret := b.joinToken(acme, 2)
	for _, state := range []string{"restricted", "suspended", "closed"} {
		b.exec(`UPDATE organization SET state = @state`, pgx.NamedArgs{"state": state})
		_, err := b.anonymous().Enroll(t.Context(), &agentv1.EnrollRequest{Token: secret.Secret(), PublicKey: freshKey(t), Name: "box"})
		requireReason(t, "PERMISSION_DENIED", err)
	}
}

func TestWhatAnAgentSaysOfItselfIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.organization("acme")
	for _, name := range []string{"", "a\x1b[2J", "a\x00", strings.Repeat("x", 101)} {
		_, err := b.anonymous().Enroll(t.Context(), &agentv1.EnrollRequest{Token: b.joinToken(acme, 1).Secret(), PublicKey: freshKey(t), Name: name})
		requireReason(t, "INVALID_ARGUMENT", err)
	}
	a := b.agent(acme)
	for name, req := range map[string]*agentv1.OpenSessionRequest{
		"no slots":      {Capacity: &agentv1.Capacity{}},
		"gpus":          {Capacity: &agentv1.Capacity{Slots: 1, Gpus: 1 << 31}},
		"negative":      {Capacity: &agentv1.Capacity{Slots: 1, MemoryBytes: -1}},
		"gpu type":      {Capacity: &agentv1.Capacity{Slots: 1, GpuType: strings.Repeat("x", 101)}},
		"version":       {Capacity: &agentv1.Capacity{Slots: 1}, Version: "1\n2"},
		"label":         {Capacity: &agentv1.Capacity{Slots: 1}, Labels: map[string]string{"k": strings.Repeat("v", 129)}},
		"key of label":  {Capacity: &agentv1.Capacity{Slots: 1}, Labels: map[string]string{"\x00": "v"}},
		"kid":           {Capacity: &agentv1.Capacity{Slots: 1}, SealingKids: []string{"x"}},
		"policy digest": {Capacity: &agentv1.Capacity{Slots: 1}, PolicyDigest: make([]byte, 65)},
	} {
		_, err := a.OpenSession(t.Context(), req)
		require.Equal(t, connect.CodeInvalidArgument, connect.CodeOf(err), name)
	}
	for range 31 {
		a.open(t, nil)
	}
	_, err := a.OpenSession(t.Context(), &agentv1.OpenSessionRequest{Capacity: &agentv1.Capacity{Slots: 1}})
	requireReason(t, "QUOTA_EXCEEDED", err)
}

// The workspace's key is chosen once and for ever, so a wrong name or a key that
// seals for everybody is refused.
func TestSealingKeyMustBeTheOneItSays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.agent(b.organization("acme"))
	key, err := seal.Generate(rand.Reader)
	require.NoError(t, err)
	for name, offer := range map[string]*agentv1.OfferSealingKeyRequest{
		"another kid": {Kid: "0123456789abcdef", PublicKey: key.Public().Bytes()},
		"low order":   {Kid: "66687aadf862bd77", PublicKey: make([]byte, 32)},
		"short":       {Kid: key.KID().String(), PublicKey: key.Public().Bytes()[:31]},
	} {
		_, err := a.OfferSealingKey(t.Context(), offer)
		require.Equal(t, connect.CodeInvalidArgument, connect.CodeOf(err), name)
	}
}

func TestAssertionIsGoodOnceAndOnlyStrictly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.organization("acme")
	a, other := b.agent(acme), b.agent(acme)
	ask := func(text string) error {
		_, err := b.anonymous().CreateAccessToken(t.Context(), &agentv1.CreateAccessTokenRequest{Assertion: text})
		return err
	}
	good := assertion(t, a.id, "once", a.key)
	require.NoError(t, ask(good))
	requireReason(t, "TOKEN_INVALID", ask(good))
	require.NoError(t, ask(assertion(t, other.id, "once", other.key)), "what another agent calls its assertions is its own affair")

	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.RegisteredClaims{Issuer: a.id}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	symmetric, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{Issuer: a.id}).SignedString([]byte(a.key.Public().(ed25519.PublicKey)))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"none": unsigned, "the public key as a secret": symmetric, "another's key": assertion(t, a.id, "x1", other.key),
		"no jti": assertion(t, a.id, "", a.key), "a long jti": assertion(t, a.id, strings.Repeat("x", 65), a.key),
		"long": assertion(t, a.id, strings.Repeat("x", 4000), a.key), "empty": "",
	} {
		require.Error(t, ask(text), name)
		requireReason(t, "TOKEN_INVALID", ask(text))
	}
}

// Guessing is not answered for ever, and does not reach the database.
func TestStrangersAreSlowedDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.organization("acme")
	a := b.agent(acme)
	var last error
	for i := range 400 {
		_, last = b.anonymous().CreateAccessToken(t.Context(), &agentv1.CreateAccessTokenRequest{Assertion: fmt.Sprint("nonsense", i)})
		if connect.CodeOf(last) == connect.CodeResourceExhausted {
			break
		}
	}
	requireReason(t, "RATE_LIMITED", last)
	_, err := b.anonymous().Enroll(t.Context(), &agentv1.EnrollRequest{
		Token: b.joinToken(acme, 1).Secret(), PublicKey: freshKey(t), Name: "box",
	})
	requireReason(t, "RATE_LIMITED", err)
	_, err = b.anonymous().CreateAccessToken(t.Context(), &agentv1.CreateAccessTokenRequest{Assertion: assertion(t, a.id, "again", a.key)})
	require.NoError(t, err, "an agent that is known goes on, whoever shares its address")
}

// A reason that was cut in the middle of a character could not be stored, and
// its report would be sent for ever.
func TestReasonOfAReportIsOneLine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.organization("acme")
	a := b.agent(acme)
	b.start(acme, "train", one())
	lease := a.lease(t)
	reported, err := a.Report(t.Context(), &agentv1.ReportRequest{SessionId: a.session, Reports: []*agentv1.AttemptReport{{
		LeaseId: lease.GetId(), RunId: lease.GetRunId(), Outcome: "failed", Cause: "user", Started: true,
		Reason: "exit\x1b[31m\x00\n" + strings.Repeat("ü", 150),
	}}})
	require.NoError(t, err)
	require.Equal(t, agentv1.ReportResult_STATUS_ACCEPTED, reported.GetResults()[0].GetStatus())
	run, err := id.Parse(id.Run, lease.GetRunId())
	require.NoError(t, err)
	reason := queryOne[string](b, `SELECT reason FROM journal WHERE run_id = @run AND kind = 'attempt_ended'`, pgx.NamedArgs{"run": run})
	require.True(t, strings.HasPrefix(reason, "exit [31m  ü"), "%q", reason)
	require.LessOrEqual(t, len(reason), 200)
}
