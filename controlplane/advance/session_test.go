package advance_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

func (w *worker) expire() {
	w.t.Helper()
	w.exec(`UPDATE session SET expires_at = now() - interval '1 second' WHERE id = @id`, pgx.NamedArgs{"id": w.session})
}

func (w *worker) end(force bool) bool {
	w.t.Helper()
	ended, err := w.a.EndSession(w.t.Context(), advance.EndSession{Org: w.org, Session: w.session, Force: force})
	require.NoError(w.t, err)
	return ended
}

func (w *worker) tryPoll(free int32, wait time.Duration) (*advance.Work, error) {
	return w.a.Poll(w.t.Context(), advance.Poll{Org: w.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: free}, Wait: wait})
}

func TestASessionThatIsEndedGetsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	w.poll(0, 0)
	b.start(b.deploy(chain("one", 1)))
	var err error
	var ended bool
	b.together(
		func() { _, err = w.tryPoll(1, patience) },
		func() { ended = w.end(true) },
	)
	require.True(t, ended)
	require.Equal(t, fault.Reason("SESSION_EXPIRED"), fault.ReasonOf(err))
	require.Zero(t, b.count("lease"))
	require.False(t, w.end(true), "again")
}

func TestAPollSavesASessionThatWouldExpire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	w.poll(0, 0)
	b.start(b.deploy(chain("one", 1)))
	w.expire()
	var work *advance.Work
	var ended bool
	b.together(
		func() { ended = w.end(false) },
		func() { work, _ = w.tryPoll(1, 0) },
	)
	require.False(t, ended, "it was heard of")
	require.Len(t, work.Leases, 1)
	require.Zero(t, queryOne[int](b, `SELECT count(*) FROM session WHERE ended OR expires_at < now()`, nil))
}

func TestWhoWaitsHearsThatItsSessionEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w, elsewhere := b.worker(1), b.replica()
	failed := make(chan error, 1)
	go func() {
		_, err := w.tryPoll(1, time.Hour)
		if err == nil {
			_, err = w.tryPoll(1, 0)
		}
		failed <- err
	}()
	eventually(t, "the poll waits", func() bool { return b.a.Parked() == 1 })
	ended, err := elsewhere.EndSession(t.Context(), advance.EndSession{Org: w.org, Session: w.session, Force: true})
	require.NoError(t, err)
	require.True(t, ended)
	require.Equal(t, fault.Reason("SESSION_EXPIRED"), fault.ReasonOf(<-failed))
}

func TestAReportCountsAfterItsSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(chain("late", 2)))
	lease := w.poll(1, 0).Leases[0]
	require.True(t, w.end(true))
	work := w.report(1, ended(lease, engine.OutcomeSucceeded))
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, work.Status)
	require.Empty(t, work.Leases, "only a living session gets work")
	require.Equal(t, 1, b.count("ready"))

	// Of a session that is gone altogether, too.
	other := b.worker(1)
	lease = other.poll(1, 0).Leases[0]
	b.exec(`DELETE FROM session WHERE id = @id`, pgx.NamedArgs{"id": other.session})
	other.a = b.replica()
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, other.report(1, ended(lease, engine.OutcomeSucceeded)).Status)
	require.Equal(t, "succeeded", b.state(run))
}

func TestNobodyRenewsAnothersSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w, other := b.worker(1), b.worker(1)
	w.expire()
	_, err := b.a.Report(t.Context(), advance.Report{
		Org: b.org, Agent: other.agent, Session: w.session, Reports: []advance.AttemptReport{{Lease: 1, Run: id.New()}},
	})
	require.NoError(t, err)
	require.True(t, w.end(false), "it is as silent as before")
}

func TestALeaseIsLostOnlyWithItsOwnSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(chain("kept", 1)))
	lease := w.poll(1, 0).Leases[0]
	require.NoError(t, b.a.Lose(t.Context(), advance.Lose{RunKey: b.key(run), Lease: lease.ID, Session: id.New()}))
	require.Equal(t, 1, b.count("lease"))
}

// An agent that has just made the workspace's key must not be taken for one
// without it as long as its session lives.
func TestAKeyThatIsMadeLaterCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	b.exec(`UPDATE session SET sealing_kids = '{0123456789abcdef}'`, nil)
	w.poll(0, 0)
	b.exec(`UPDATE workspace SET sealing_kid = '0123456789abcdef', sealing_public = decode(repeat('00', 32), 'hex')`, nil)
	p := chain("sealed", 1)
	p.Tasks[0].ArtifactsIn = sealedInput
	b.start(b.deploy(p))
	eventually(t, "the sealed task is leased", func() bool { return len(w.poll(1, 0).Leases) == 1 })
}

func TestAReportRenewsNobodyElsesSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mine, theirs := b.worker(1), b.worker(1)
	b.start(b.deploy(chain("one", 1)))
	lease := mine.poll(1, 0).Leases[0]
	b.exec(`UPDATE session SET expires_at = now() + interval '5 seconds' WHERE id = @id`, pgx.NamedArgs{"id": theirs.session})
	mine.session = theirs.session
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, mine.report(1, ended(lease, engine.OutcomeSucceeded)).Status)
	require.True(t, queryOne[bool](b, `SELECT expires_at < now() + interval '6 seconds' FROM session WHERE id = @id`, pgx.NamedArgs{"id": theirs.session}))
}
