package runapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
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

// Who is ahead, whatever they ask for, and for whom room is kept.
func TestARunExplainsWhoGoesFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	wide := func(name string, slots int) plan.Task {
		return plan.Task{Name: name, Resources: plan.Resources{Slots: slots}}
	}
	b.deploy(&plan.Plan{Name: "wide", Tasks: []plan.Task{wide("big", 8), wide("small", 1)}})
	b.deploy(&plan.Plan{Name: "thin", Tasks: []plan.Task{wide("a", 1), wide("b", 2)}})
	w := b.worker("box-1")
	busy := b.start("thin").GetId()
	work := w.poll(2)
	require.Len(t, work.Leases, 1, "%s runs", busy)
	first := b.start("wide").GetId()
	second := b.start("thin").GetId()
	b.exec(`UPDATE ready SET since = since - interval '2 minutes' WHERE path = 'big'`, nil)

	why := b.explain(second, "a")["a"]
	require.Equal(t, "reserved", why.GetReason(), why.GetText())
	require.Regexp(t, `^room in pool default is kept free for big of wide#1, which asks for 8 slots and has waited 2m`, why.GetText())
	why = b.explain(first, "big")["big"]
	require.Regexp(t, `^pool default is full, \d/8 slots; 0 ahead of it$`, why.GetText(), "it is the oldest")
	b.exec(`UPDATE pool SET slots = 1`, nil)
	require.Equal(t, "pool default is full, 1/1 slots; 3 ahead of it", b.explain(second, "a")["a"].GetText())
	require.Equal(t, "pool default is full, 1/1 slots; 3 ahead of it", b.explain(second, "b")["b"].GetText())
	b.exec(`UPDATE ready SET priority = 5 WHERE path = 'b'`, nil)
	require.Equal(t, "pool default is full, 1/1 slots; 4 ahead of it", b.explain(second, "a")["a"].GetText())
}
