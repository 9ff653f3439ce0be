package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/fakeplane"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

func TestStartWorkAndDrain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.start(t)
	require.Equal(t, "succeeded", b.plane.Report(b.script(t, "exit 0")).GetOutcome())
	a.signal(t, syscall.SIGTERM)
	require.NoError(t, a.wait())
	require.NotContains(t, a.stderr.String(), fakeplane.Token)
	require.Contains(t, a.stderr.String(), "there is no policy file")

	// The second start needs neither the token nor the server.
	a = b.start(t, "--token", "", "--server", "")
	require.Equal(t, "succeeded", b.plane.Report(b.script(t, "exit 0")).GetOutcome())
	a.signal(t, syscall.SIGINT)
	require.NoError(t, a.wait())
}

func TestThreeSignals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.start(t, "--drain-grace", "1h")
	script, runs, gone := held(t)
	lease := b.script(t, script+"trap '' TERM; sleep 600")
	runs()
	a.signal(t, syscall.SIGTERM)
	b.plane.AwaitDraining()
	require.Zero(t, b.plane.Reports(lease))
	// Two equal signals in a row may reach a process as one.
	a.signal(t, syscall.SIGTERM)
	a.signal(t, syscall.SIGINT)
	gone()
	report := b.plane.Report(lease)
	require.Equal(t, "lost", report.GetOutcome())
	require.Equal(t, "infra", report.GetCause())
	require.NoError(t, a.wait())
}

// TestKilledAgent holds that no step outlives its agent, and that the next life
// tells the control plane at once.
func TestKilledAgent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.start(t)
	script, runs, gone := held(t)
	lease := b.script(t, script+"( setsid sleep 600 & ) ; sleep 600")
	runs()
	a.signal(t, syscall.SIGKILL)
	require.Error(t, a.wait())
	gone()

	b.start(t)
	opened := b.plane.Opened(2)
	require.Equal(t, b.plane.Session(0), opened[1].GetReplaces())
	require.Empty(t, opened[1].GetAdopted())
	require.Equal(t, "succeeded", b.plane.Report(b.script(t, "exit 0")).GetOutcome())
	require.Zero(t, b.plane.Reports(lease))
	left, err := os.ReadDir(filepath.Join(b.dir, "attempts"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestFrozenAgent is an agent that sleeps past its leases (a suspended machine):
// on waking it ends the steps and reports nothing of them.
func TestFrozenAgent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.start(t)
	script, runs, gone := held(t)
	lease := b.script(t, script+"trap '' TERM; sleep 600")
	runs()
	a.signal(t, syscall.SIGSTOP)
	b.plane.ExpireSessions()
	a.signal(t, syscall.SIGCONT)
	gone()
	require.Equal(t, "succeeded", b.plane.Report(b.script(t, "exit 0")).GetOutcome())
	require.Zero(t, b.plane.Reports(lease))
}

// TestFrozenAgentReportsLate is the same with a step that ends while its agent
// is frozen: the late report is refused.
func TestFrozenAgentReportsLate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.start(t)
	script, runs, gone := held(t)
	lease := b.script(t, script+"read _ < "+filepath.Join(b.dir, "gate"))
	require.NoError(t, syscall.Mkfifo(filepath.Join(b.dir, "gate"), 0o600))
	runs()
	a.signal(t, syscall.SIGSTOP)
	b.plane.ExpireSessions()
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "gate"), []byte("\n"), 0o600))
	gone()
	a.signal(t, syscall.SIGCONT)
	// Whether the report or the word that the lease is stale is first is chance;
	// neither makes the attempt count.
	require.Equal(t, "succeeded", b.plane.Report(b.script(t, "exit 0")).GetOutcome())
	require.False(t, b.plane.Accepted(lease))
}

func TestOneAgentAFolder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.start(t)
	b.plane.Opened(1)
	second := b.start(t)
	require.Error(t, second.wait())
	require.Contains(t, second.stderr.String(), "another agent is running with the folder")
}

func TestJoinIsRefused(t *testing.T) {
	t.Parallel()
	for want, token := range map[string]string{
		"this agent has not joined a pool yet": "",
		"the join token is not known":          "sbj_wrong",
		"a join token begins with sbj_":        "sbk_wrong",
	} {
		b := setup(t)
		a := b.start(t, "--token", token)
		require.Error(t, a.wait())
		require.Contains(t, a.stderr.String(), want)
	}
}

func TestJoinWaitsForTheControlPlane(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.plane.Fail("Enroll", 2, connect.CodeUnavailable, faultv1.Reason_REASON_UNAVAILABLE)
	b.start(t)
	b.plane.Opened(1)
}

func TestSignalWhileTheControlPlaneIsAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.start(t)
	b.plane.Opened(1)
	a.signal(t, syscall.SIGTERM)
	require.NoError(t, a.wait())
	b.plane.Fail("OpenSession", 1_000_000, connect.CodeUnavailable, faultv1.Reason_REASON_UNAVAILABLE)
	a = b.start(t)
	b.plane.AwaitFault("OpenSession", 1_000_000)
	a.signal(t, syscall.SIGTERM)
	require.NoError(t, a.wait())
}

func TestRevokedAgent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.start(t)
	b.plane.Opened(1)
	b.plane.Revoke()
	require.Error(t, a.wait())
	require.Contains(t, a.stderr.String(), "this agent was revoked; join again")
}
