package link_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/fakeplane"
	"github.com/signalboxhq/signalbox/agent/link"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

type testBundle struct {
	plane  *fakeplane.Plane
	path   string
	client *link.Client
}

// setup gives an agent that has a key and has not enrolled.
func setup(t *testing.T) *testBundle {
	t.Helper()
	b := &testBundle{plane: fakeplane.Start(t), path: filepath.Join(t.TempDir(), "identity.json")}
	b.client = b.newClient(t, time.Now)
	return b
}

func (b *testBundle) newClient(t *testing.T, now func() time.Time) *link.Client {
	t.Helper()
	identity, err := link.LoadIdentity(b.path)
	require.NoError(t, err)
	return link.NewClient(link.Options{Server: b.plane.URL, Identity: identity, Path: b.path, Clock: link.NewClock(now)})
}

func (b *testBundle) enroll(t *testing.T) {
	t.Helper()
	require.NoError(t, b.client.Enroll(t.Context(), fakeplane.Token, "laptop", "v1"))
}

func (b *testBundle) session(t *testing.T) link.Session {
	t.Helper()
	session, _, err := b.client.OpenSession(t.Context(), link.Opening{Capacity: link.Capacity{Slots: 2}})
	require.NoError(t, err)
	return session
}

func TestEnroll(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.False(t, b.client.Identity().Enrolled())
	b.enroll(t)
	org, workspace, err := b.client.IDs()
	require.NoError(t, err)
	require.Equal(t, b.plane.Org, org)
	require.Equal(t, b.plane.Workspace, workspace)

	info, err := os.Stat(b.path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	again, err := link.LoadIdentity(b.path)
	require.NoError(t, err)
	require.Equal(t, b.client.Identity(), again)
	require.NotContains(t, again.LogValue().String(), "key")
}

func TestEnrollAgainAfterALostAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.plane.Fail("Enroll", 1, connect.CodeUnavailable, faultv1.Reason_REASON_UNAVAILABLE)
	err := b.client.Enroll(t.Context(), fakeplane.Token, "laptop", "v1")
	require.True(t, link.Temporary(err))
	b.client = b.newClient(t, time.Now) // a new start of the agent: same key
	b.enroll(t)
	first := b.client.Identity().Agent
	b.enroll(t)
	require.Equal(t, first, b.client.Identity().Agent)
}

func TestEnrollRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	err := b.client.Enroll(t.Context(), "sbj_wrong", "laptop", "v1")
	require.Equal(t, link.ReasonTokenInvalid, link.ReasonOf(err))
	require.False(t, link.Temporary(err))
}

func TestDamagedIdentity(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "identity.json")
	for _, content := range []string{"", "{}", `{"key":"AAAA"}`, "{"} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := link.LoadIdentity(path)
		require.ErrorContains(t, err, "is damaged; move it away")
	}
}

func TestTokenIsRenewed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.enroll(t)
	b.session(t)
	// The control plane refuses the token once, for whatever reason of its own.
	b.plane.Fail("OpenSession", 1, connect.CodeUnauthenticated, faultv1.Reason_REASON_UNAUTHENTICATED)
	b.session(t)
}

func TestRevoked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.enroll(t)
	session := b.session(t)
	b.plane.Revoke()
	_, err := b.client.Poll(t.Context(), link.Poll{Session: session.ID})
	require.Equal(t, link.ReasonAgentRevoked, link.ReasonOf(err))
	// Also where the token itself is refused.
	_, _, err = b.newClient(t, time.Now).OpenSession(t.Context(), link.Opening{})
	require.Equal(t, link.ReasonAgentRevoked, link.ReasonOf(err))
	require.False(t, link.Temporary(err))
}

func TestWrongClockIsCorrected(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-26 * time.Hour, 45 * time.Minute} {
		b := setup(t)
		b.client = b.newClient(t, func() time.Time { return time.Now().Add(off) })
		b.enroll(t)
		b.session(t)
		require.InDelta(t, -off.Seconds(), b.client.Clock.Skew().Seconds(), 3)
		require.WithinDuration(t, time.Now(), b.client.Clock.Now(), 3*time.Second)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.enroll(t)
	b.plane.Down()
	_, _, err := b.client.OpenSession(t.Context(), link.Opening{})
	require.True(t, link.Temporary(err))
	require.Equal(t, link.ReasonNone, link.ReasonOf(err))
	b.plane.Up()
	b.session(t)
}

func TestPollAndReport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.enroll(t)
	session := b.session(t)
	version := b.plane.Deploy(&plan.Plan{Name: "p", Tasks: []plan.Task{{Name: "a", Run: "true"}}})
	run := id.New()
	first := b.plane.Queue(fakeplane.Attempt{Version: version, Run: run, Task: "a", Labels: map[string]string{"x": "y"}})
	work, err := b.client.Poll(t.Context(), link.Poll{Session: session.ID, Free: link.Capacity{Slots: 1}, Wait: time.Second})
	require.NoError(t, err)
	require.Equal(t, []link.Lease{{
		ID: first, Run: id.Format(id.Run, run), RunNumber: 1, Pipeline: "p", Version: version, Task: "a", Attempt: 1,
		Labels: map[string]string{"x": "y"}, HasInputs: true, PlanTask: "a",
	}}, work.Leases)
	content, err := b.client.Plan(t.Context(), "p", version)
	require.NoError(t, err)
	require.Equal(t, version, plan.DigestOf(content).String())

	second := b.plane.Queue(fakeplane.Attempt{Version: version, Run: run, Task: "a", Number: 2})
	report := link.Report{
		Lease: first, Run: id.Format(id.Run, run), Task: "a", Attempt: 1, Outcome: "failed", Cause: "user", ExitCode: 3,
		Reason: "exit code 3", Final: true, Started: true, Duration: 1500 * time.Millisecond, Finished: time.Now().Add(-time.Minute),
		Outputs:   []link.Value{{Name: "o", Type: "int", Open: []byte("1"), Size: 1}, {Name: "s", Type: "int", Sealed: []byte{9}, Size: 1}},
		Artifacts: []link.Artifact{{Name: "m", Type: "model", SealedURI: []byte{8}, Digest: "d", Size: 7}}, SealedError: []byte{1}, LogBytes: 5,
	}
	answers, work, err := b.client.Report(t.Context(), session.ID, []link.Report{report, {Lease: 99, Run: report.Run}}, link.Capacity{Slots: 1})
	require.NoError(t, err)
	require.Equal(t, []link.Answer{link.AnswerAccepted, link.AnswerStale}, answers)
	require.Equal(t, second, work.Leases[0].ID)
	got := b.plane.Report(first)
	require.InDelta(t, 60_000, got.GetFinishedAgoMs(), 5000)
	got.FinishedAgoMs = 0
	require.Equal(t, int64(1500), got.GetDurationMs())
	require.True(t, got.GetFinal() && got.GetStarted())
	require.Equal(t, []byte("1"), got.GetOutputs()[0].GetOpenJson())
	require.Equal(t, []byte{9}, got.GetOutputs()[1].GetSealed())
	require.Equal(t, []byte{8}, got.GetArtifacts()[0].GetSealedUri())

	b.plane.Order(second, agentv1.Order_ACTION_STOP, 3*time.Second)
	work, err = b.client.Poll(t.Context(), link.Poll{Session: session.ID, Wait: time.Second, Held: []link.Held{
		{Lease: first}, {Lease: second, Phase: link.PhaseRunning, Running: time.Second},
	}})
	require.NoError(t, err)
	require.Equal(t, []link.Order{
		{Lease: first, Action: link.ActionStale}, {Lease: second, Action: link.ActionStop, Grace: 3 * time.Second},
	}, work.Orders)

	b.plane.ExpireSessions()
	_, err = b.client.Poll(t.Context(), link.Poll{Session: session.ID})
	require.Equal(t, link.ReasonSessionExpired, link.ReasonOf(err))
	_, err = b.client.Inputs(t.Context(), second, "")
	require.Equal(t, link.ReasonStaleFence, link.ReasonOf(err))
}

func TestGrants(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.enroll(t)
	key := []byte("0123456789abcdef0123456789abcdef")
	good := link.DataRequest{Run: "run_1", PublicKey: key, Grant: b.plane.Grant("run_1", key, time.Now().Add(time.Minute))}
	reader, err := b.client.CheckGrant(good)
	require.NoError(t, err)
	require.Equal(t, "usr_reader", reader)
	other := fakeplane.Start(t)
	for want, spoil := range map[string]func(*link.DataRequest){
		"for another run":          func(r *link.DataRequest) { r.Run = "run_2" },
		"for another reader's key": func(r *link.DataRequest) { r.PublicKey = make([]byte, 32) },
		"expired":                  func(r *link.DataRequest) { r.Grant = b.plane.Grant("run_1", key, time.Now().Add(-time.Minute)) },
		"signature is invalid":     func(r *link.DataRequest) { r.Grant = other.Grant("run_1", key, time.Now().Add(time.Minute)) },
		"malformed":                func(r *link.DataRequest) { r.Grant = "" },
	} {
		bad := good
		spoil(&bad)
		_, err := b.client.CheckGrant(bad)
		require.ErrorContains(t, err, want)
	}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.enroll(t)
	b.session(t)
	stream := b.plane.Ask(&agentv1.DataRequest{RunId: "run_1", PublicKey: make([]byte, 32)})
	require.NoError(t, b.client.SendFrames(t.Context(), stream, []link.Frame{{Seq: 0, Ciphertext: []byte{1}}, {Seq: 1, Last: true}}))
	require.Len(t, b.plane.Frames(stream, 1), 2)
	b.plane.CloseStream(stream)
	require.ErrorIs(t, b.client.SendFrames(t.Context(), stream, nil), link.ErrStreamClosed)
	require.ErrorIs(t, b.client.SendFrames(t.Context(), "str_unknown", nil), link.ErrStreamClosed)
}

func TestSealingKeyIsOfferedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.enroll(t)
	for _, offer := range []string{"0123456789abcdef", "fedcba9876543210"} {
		held, err := b.client.OfferSealingKey(t.Context(), link.SealingKey{KID: offer, Public: []byte(offer)})
		require.NoError(t, err)
		require.Equal(t, "0123456789abcdef", held.KID)
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	var b link.Backoff
	last := time.Duration(0)
	for range 100 {
		pause := b.Next()
		require.GreaterOrEqual(t, pause, 50*time.Millisecond)
		require.LessOrEqual(t, pause, 15*time.Second)
		last = pause
	}
	require.GreaterOrEqual(t, last, 7*time.Second)
	b.Reset()
	require.LessOrEqual(t, b.Next(), 100*time.Millisecond)
	require.Equal(t, link.ReasonNone, link.ReasonOf(errors.New("x")))
}
