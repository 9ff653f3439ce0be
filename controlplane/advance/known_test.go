package advance_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// What a replica remembers of a lease that it gave is what it would read, all of it.
func TestALeaseIsRememberedAsItIsWritten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	b.start(b.deploy(chain("chain", 2)))
	work := w.poll(1, 0)
	for range 2 {
		lease := work.Leases[0]
		known, read, err := b.a.Known(t.Context(), b.org, lease.Run, lease.ID)
		require.NoError(t, err)
		require.NotNil(t, known)
		require.Equal(t, read, known)
		work = w.report(1, ended(lease, engine.OutcomeSucceeded))
		known, _, err = b.a.Known(t.Context(), b.org, lease.Run, lease.ID)
		require.NoError(t, err)
		require.Nil(t, known, "it has ended")
	}
}

// What may change is read: another session has it by now, and a heartbeat told
// when it began.
func TestWhatChangesOfARememberedLeaseIsRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	b.start(b.deploy(chain("one", 1)))
	lease := w.poll(1, 0).Leases[0]
	other := id.New()
	b.exec(`UPDATE lease SET session_id = @other, started_at = granted_at + interval '1 ms'`, pgx.NamedArgs{"other": other})
	lose := advance.Lose{RunKey: advance.RunKey{Org: b.org, Run: lease.Run}, Lease: lease.ID, Session: w.session}
	require.NoError(t, b.a.Lose(t.Context(), lose))
	require.Equal(t, 1, b.count("lease"), "it is another session's")
	lose.Session = other
	require.NoError(t, b.a.Lose(t.Context(), lose))
	require.Zero(t, b.count("lease"))
	require.True(t, queryOne[bool](b, `SELECT started = granted + interval '1 ms' FROM journal WHERE kind = 'attempt_ended'`, nil))
}

// A remembered lease that is gone is not reported twice.
func TestARememberedLeaseThatIsGoneIsStale(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	b.start(b.deploy(chain("one", 1)))
	lease := w.poll(1, 0).Leases[0]
	b.exec(`DELETE FROM lease`, nil)
	require.Equal(t, []advance.ReportStatus{advance.ReportStale}, w.report(0, ended(lease, engine.OutcomeSucceeded)).Status)
}
