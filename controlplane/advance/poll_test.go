package advance_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
)

func TestNewsFromElsewhereEndAPoll(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	news := make(chan struct{})
	got := make(chan *advance.Work, 1)
	ask := func() {
		work, _ := b.a.Poll(t.Context(), advance.Poll{Org: w.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: 1}, Wait: time.Hour, Wake: news})
		got <- work
	}
	go ask()
	eventually(t, "the poll waits", func() bool { return b.a.Parked() == 1 })
	close(news)
	require.Equal(t, &advance.Work{}, <-got)
	go ask()
	require.Equal(t, &advance.Work{}, <-got, "it need not be parked for that")
	require.Zero(t, b.a.Parked())
}

// Work that is given to somebody who has gone is missing for seconds.
func TestNothingIsGivenToACallerWhoHasGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gone, here := b.worker(1), b.worker(1)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := b.a.Poll(ctx, advance.Poll{Org: gone.org, Agent: gone.agent, Session: gone.session, Free: advance.Free{Slots: 1}, Wait: time.Hour})
		left <- err
	}()
	eventually(t, "the poll waits", func() bool { return b.a.Parked() == 1 })
	cancel()
	require.ErrorIs(t, <-left, context.Canceled)
	eventually(t, "it has left the park", func() bool { return b.a.Parked() == 0 })
	b.start(b.deploy(chain("one", 1)))
	require.Len(t, here.poll(1, 0).Leases, 1)
}

func TestADrainingAgentGetsNoMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	b.start(b.deploy(chain("one", 1)))
	drain := advance.Poll{Org: w.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: 1}, Draining: true}
	work, err := b.a.Poll(t.Context(), drain)
	require.NoError(t, err)
	require.Empty(t, work.Leases)
	require.True(t, queryOne[bool](b, `SELECT draining FROM session`, nil))
	require.Empty(t, w.report(1).Leases, "nor with a report")
	drain.Draining = false
	work, err = b.a.Poll(t.Context(), drain)
	require.NoError(t, err)
	require.Len(t, work.Leases, 1)
}

func TestAPollIsOverInItsTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	work, err := w.tryPoll(1, 20*time.Millisecond)
	require.NoError(t, err)
	require.Equal(t, &advance.Work{}, work)
	require.Zero(t, b.a.Parked())
}

// A poll that is on the way while its agent reports lists what has just ended:
// that is no news to the agent.
func TestAPollThatCrossesItsReportWaits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(2)
	b.start(b.deploy(chain("one", 1)))
	l := w.await()
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, w.report(1, ended(l, engine.OutcomeSucceeded)).Status)
	require.Empty(t, w.poll(2, 0, advance.Held{Lease: l.ID}).Orders)

	// What others have ended is.
	b.start(b.deploy(chain("two", 1)))
	l = w.await()
	require.NoError(t, b.a.CancelRun(t.Context(), advance.CancelRun{RunKey: advance.RunKey{Org: b.org, Run: l.Run}, Force: true}))
	require.Equal(t, []advance.Order{{Lease: l.ID, Action: advance.ActionStale}}, w.poll(2, 0, advance.Held{Lease: l.ID}).Orders)
}
