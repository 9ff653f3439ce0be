package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
)

// A frozen organization and a drained pool finish what runs and start nothing
// new, say so, and go on when they are told to.
func TestFreezeAndDrain(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 2)
		run, marks := tn.startWaiting()
		tn.must("org", "freeze", "--note", "the auditors are here")
		letGo(t, marks)
		eventually(t, 20*time.Second, "what runs ends", func() bool { return tn.stands(run)["long"] == "succeeded" })
		require.Contains(t, tn.must("run", "explain", run), "the organization is frozen: the auditors are here")
		require.Equal(t, "ready", tn.stands(run)["after"])
		require.Contains(t, tn.must("org", "get"), "the auditors are here")
		tn.must("org", "unfreeze")
		require.Equal(t, "succeeded", tn.finished(run, 20*time.Second).GetRun().GetState())
		require.Contains(t, tn.must("audit", "list"), "org.freeze")

		run, marks = tn.startWaiting()
		drained := make(chan int, 1)
		go func() {
			_, code := tn.cli("pool", "drain", "default")
			drained <- code
		}()
		eventually(t, 20*time.Second, "the pool drains", func() bool {
			res, err := tn.pools.GetPool(t.Context(), &poolv1.GetPoolRequest{Name: "default"})
			return err == nil && res.GetPool().GetPaused()
		})
		letGo(t, marks)
		require.Zero(t, <-drained)
		require.Equal(t, "succeeded", tn.stands(run)["long"], "drain waits for it")
		require.Contains(t, tn.must("run", "explain", run), "pool default is paused: draining")
		require.Equal(t, "ready", tn.stands(run)["after"])
		tn.must("pool", "resume", "default")
		require.Equal(t, "succeeded", tn.finished(run, 20*time.Second).GetRun().GetState())
		s.doctor()
	})
}
