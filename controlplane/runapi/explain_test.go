package runapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (b *bundle) explain(run, task string) map[string]*runv1.Explanation {
	b.t.Helper()
	res, err := b.h.ExplainRun(b.ctx(), &runv1.ExplainRunRequest{Id: run, Task: task})
	require.NoError(b.t, err)
	out := map[string]*runv1.Explanation{}
	for _, e := range res.GetTasks() {
		out[e.GetTask()] = e
	}
	return out
}

// Each task that waits says why, and what runs says where when it is asked.
func TestARunExplainsItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(diamond())
	run := b.start("diamond").GetId()
	why := b.explain(run, "")
	require.Equal(t, "no_agent_online", why["prepare"].GetReason())
	require.Contains(t, why["prepare"].GetText(), "pool default")
	require.Equal(t, "it waits for prepare (ready) (0 of 1 upstream tasks have ended)", why["train"].GetText())

	w := b.worker("box-1")
	b.exec(`UPDATE pool SET slots = 1, fairness = 'label:team', laned = true, weights = '{"risk": 3}'`, nil)
	w.poll(1)
	second := b.start("diamond").GetId()
	full := b.explain(second, "prepare")["prepare"]
	require.Equal(t, "pool default is full, 1/1 slots; 0 ahead of it", full.GetText())
	require.Equal(t, "it runs on box-1", b.explain(run, "prepare")["prepare"].GetText())

	b.exec(`UPDATE pool SET paused = true, pause_note = 'driver update'`, nil)
	require.Equal(t, "pool default is paused: driver update", b.explain(second, "prepare")["prepare"].GetText())
	_, err := b.h.ExplainRun(b.ctx(), &runv1.ExplainRunRequest{Id: run, Task: "nobody"})
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
}
