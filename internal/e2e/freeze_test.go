package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A frozen organization and a drained pool finish what runs and start nothing
// new, say so, and go on when they are told to.
func TestFreezeAndDrain(t *testing.T) {
	t.Parallel()
	s := install(t, 1)
	tn := s.signUp("ada")
	tn.agent("one", 2)
	tn.apply("signalbox: v1\nname: two\ntasks:\n  a: {run: sleep 1}\n  b: {needs: [a], run: 'true'}\n")
	running := func(run string) func() bool {
		return func() bool { return tn.stands(run)["a"] == "running" }
	}
	run := tn.start("two")
	eventually(t, 20*time.Second, "a runs", running(run))
	tn.must("org", "freeze", "--note", "the auditors are here")
	eventually(t, 20*time.Second, "a has ended", func() bool { return tn.stands(run)["a"] == "succeeded" })
	require.Contains(t, tn.must("run", "explain", run), "the organization is frozen: the auditors are here")
	require.Contains(t, tn.must("org", "get"), "the auditors are here")
	tn.must("org", "unfreeze")
	require.Equal(t, "succeeded", tn.finished(run, 20*time.Second).GetRun().GetState())
	require.Contains(t, tn.must("audit", "list"), "org.freeze")

	run = tn.start("two")
	eventually(t, 20*time.Second, "a runs", running(run))
	tn.must("pool", "drain", "default")
	require.Equal(t, "succeeded", tn.stands(run)["a"], "drain waits for it")
	require.Contains(t, tn.must("run", "explain", run), "pool default is paused: draining")
	tn.must("pool", "resume", "default")
	require.Equal(t, "succeeded", tn.finished(run, 20*time.Second).GetRun().GetState())
	s.doctor()
}
