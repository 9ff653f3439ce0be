package advance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

// An agent that found nothing asks again in no hurry, and is given what comes
// meanwhile all the same.
func TestACalmAgentIsGivenWork(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.deploy(wide("one", 1, nil))
	w := b.worker(1)
	for range 3 {
		require.Empty(t, w.poll(1, time.Millisecond).Leases)
		run := b.start(c)
		work := w.poll(1, patience)
		require.Len(t, work.Leases, 1)
		require.Equal(t, run, work.Leases[0].Run)
		w.report(0, ended(work.Leases[0], engine.OutcomeSucceeded))
	}
}
