package advance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
)

func TestARunThatHasEndedLeavesTheCache(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	run := b.start(b.deploy(chain("short", 1)))
	require.True(t, b.a.Cached(b.key(run)))
	lease := w.poll(1, 0).Leases[0]
	w.report(0, ended(lease, engine.OutcomeSucceeded))
	require.False(t, b.a.Cached(b.key(run)))
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, w.report(0, ended(lease, engine.OutcomeSucceeded)).Status)
}

// Another replica has written more than may be folded under a lock.
func TestARunThatIsFarAheadIsFoldedFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	far := b.replica()
	near, other := b.worker(1200), b.worker(1)
	other.a = far
	p := wide("huge", 600, nil)
	p.Tasks = append(p.Tasks, wide("", 600, nil).Tasks...)
	for i := range p.Tasks[600:] {
		p.Tasks[600+i].Name += "x"
	}
	p.Tasks[1199].Priority = -1
	run := b.start(b.deploy(p))
	other.report(0, advance.AttemptReport{Lease: 1, Run: run, Outcome: engine.OutcomeSucceeded})
	require.True(t, far.Cached(b.key(run)))
	for done := 0; done < 1199; {
		var reports []advance.AttemptReport
		for _, l := range near.poll(int32(min(900, 1199-done)), 0).Leases {
			reports = append(reports, ended(l, engine.OutcomeSucceeded))
		}
		require.NotEmpty(t, reports)
		near.report(0, reports...)
		done += len(reports)
	}
	last := other.poll(1, 0).Leases
	require.Len(t, last, 1)
	require.Equal(t, []advance.ReportStatus{advance.ReportAccepted}, other.report(0, ended(last[0], engine.OutcomeSucceeded)).Status)
	require.Equal(t, "succeeded", b.state(run))
}

func TestAFailureStopsAThousandOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(600)
	p := wide("stopped", 600, nil)
	p.OnFailure = "cancel_running"
	run := b.start(b.deploy(p))
	leases := w.poll(600, 0).Leases
	require.Len(t, leases, 600)
	reports := make([]advance.AttemptReport, 0, 300)
	for i, l := range leases[:300] {
		outcome := engine.OutcomeSucceeded
		if i == 299 {
			outcome = engine.OutcomeFailed
		}
		reports = append(reports, ended(l, outcome))
	}
	w.report(0, reports...)
	require.Equal(t, 300, queryOne[int](b, `SELECT count(*) FROM lease WHERE stop = 'stop'`, nil))
	reports = reports[:0]
	for _, l := range leases[300:] {
		reports = append(reports, ended(l, engine.OutcomeCanceled))
	}
	w.report(0, reports...)
	require.Equal(t, "failed", b.state(run))
}
