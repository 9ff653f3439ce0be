package advance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
)

func TestWhatAKeyMeansWhoseRunGoesOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.deploy(chain("keyed", 1))
	c.Key = "k"
	first := b.start(c)
	other := c
	other.Fingerprint = [32]byte{1}
	_, err := b.a.StartRun(t.Context(), other)
	requireReason(t, err, "IDEMPOTENCY_MISMATCH")
	other.IfRunning = advance.IfRunningUse
	require.Equal(t, first, b.start(other))
	c.IfRunning = advance.IfRunningFail
	_, err = b.a.StartRun(t.Context(), c)
	requireReason(t, err, "RUN_EXISTS")
	c.IfRunning = advance.IfRunningCancel
	second := b.start(c)
	require.NotEqual(t, first, second)
	eventually(t, "the first is canceled", func() bool { return b.state(first) == "canceled" })
	c.IfRunning = ""
	require.Equal(t, second, b.start(c))
}

func TestWhatAKeyMeansWhoseRunHasEnded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.worker(1)
	c := b.deploy(chain("keyed", 1))
	c.Key = "k"
	first := b.start(c)
	w.report(0, ended(w.await(), engine.OutcomeFailed))
	require.Equal(t, first, b.start(c))
	c.IfDone = advance.IfDoneReject
	_, err := b.a.StartRun(t.Context(), c)
	requireReason(t, err, "RUN_EXISTS")
	c.IfDone = advance.IfDoneFailedOnly
	second := b.start(c)
	require.NotEqual(t, first, second)
	require.Equal(t, second, b.start(c), "it goes on")
	w.report(0, ended(w.await(), engine.OutcomeSucceeded))
	_, err = b.a.StartRun(t.Context(), c)
	requireReason(t, err, "RUN_EXISTS")
	c.IfDone = advance.IfDoneAllow
	third := b.start(c)
	require.NotEqual(t, second, third)
}
