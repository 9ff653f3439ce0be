package explain_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/explain"
	"github.com/signalboxhq/signalbox/proto/id"
)

var now = time.Date(2026, 11, 3, 14, 2, 0, 0, time.UTC)

// What people read, in the order in which it is looked for: each case has all
// the reasons of those below it as well.
func TestSentences(t *testing.T) {
	t.Parallel()
	one := func() *explain.Wait {
		return &explain.Wait{
			Pool: explain.Pool{Name: "gpu"}, Need: explain.Need{Slots: 1, GPUs: 1}, Since: now.Add(-75 * time.Second), Share: 1,
			Agents: []explain.Agent{{Name: "a3", Online: true, Slots: 4, SlotsUsed: 4, GPUs: 1, SeenAt: now}},
			Ahead:  12,
		}
	}
	for name, c := range map[string]struct {
		edit   func(*explain.Wait)
		reason explain.Reason
		want   string
	}{
		"paused": {func(w *explain.Wait) { w.Pool.Paused, w.Pool.Note = true, "back at noon" }, "pool_paused", "pool gpu is paused: back at noon"},
		"undeclared": {
			func(w *explain.Wait) { w.Limits = []explain.Limit{{Name: "warehouse", Want: 1}} },
			"limit", "limit warehouse does not exist",
		},
		"limit": {func(w *explain.Wait) {
			w.Limits = []explain.Limit{{Name: "warehouse", Declared: true, Capped: true, Max: 2, Held: 2, Want: 1}}
		}, "limit", "limit warehouse is reached: 2 of 2 units held, and it asks for 1"},
		"too much": {func(w *explain.Wait) {
			w.Limits = []explain.Limit{{Name: "warehouse", Declared: true, Capped: true, Max: 1, Want: 2}}
		}, "limit", "limit warehouse has 1 unit, and it asks for 2"},
		"rate": {func(w *explain.Wait) {
			w.Limits = []explain.Limit{{Name: "openai", Declared: true, Rated: true, Rate: 60, Per: time.Minute, DryFor: 2500 * time.Millisecond, Want: 1}}
		}, "limit", "limit openai gives 60 in 1m0s; the next in 2s"},
		"nobody": {func(w *explain.Wait) { w.Agents = nil }, "no_agent_online", "no agent has joined pool gpu"},
		"gone": {
			func(w *explain.Wait) { w.Agents[0].Online = false }, "no_agent_online",
			"no agent online in pool gpu (last seen 2026-11-03 14:02:00 UTC)",
		},
		"no match": {
			func(w *explain.Wait) { w.Need.GPUs = 2 }, "no_agent_matches",
			"no agent in pool gpu offers gpu>=2 (the nearest, a3, has gpu=1)",
		},
		"type": {
			func(w *explain.Wait) { w.Need.GPUTypes = []string{"h100"}; w.Agents[0].GPUType = "a100" }, "no_agent_matches",
			"no agent in pool gpu offers gpu_type=h100 (the nearest, a3, has gpu_type=a100)",
		},
		"full":  {func(*explain.Wait) {}, "pool_full", "pool gpu is full, 4/4 slots; 12 ahead of it"},
		"share": {func(w *explain.Wait) { w.Share, w.AheadMore = 0.25, true }, "pool_full", "pool gpu is full, 4/4 slots; more than 12 ahead of it, fair share 25%"},
		"slots": {
			func(w *explain.Wait) { w.Pool.Slots, w.Pool.Used, w.Agents[0].SlotsUsed = 3, 3, 3 }, "pool_full",
			"pool gpu is full, 3/3 slots; 12 ahead of it",
		},
		"gang": {func(w *explain.Wait) {
			w.Need.GangSize, w.Need.Apart, w.Need.GPUs = 2, true, 0
			w.Agents = append(w.Agents, explain.Agent{Name: "a4", Online: true, Slots: 1})
		}, "gang", "its gang needs 2 members at once, and 1 is free; 12 ahead of it"},
		"gang without places": {
			func(w *explain.Wait) { w.Need.GangSize, w.Need.Apart = 4, true }, "gang",
			"its gang needs 4 members at once, and pool gpu has places for 1",
		},
		"queued": {func(w *explain.Wait) { w.Agents[0].SlotsUsed, w.Ahead = 0, 0 }, "queued", "it is about to be taken; it has waited 1m15s"},
	} {
		w := one()
		c.edit(w)
		e := explain.Explain(now, explain.Task{RunState: "running", State: "ready"}, w)
		require.Equal(t, c.want, e.Text, name)
		require.Equal(t, c.reason, e.Reason, name)
	}
	w := one()
	w.Agents = nil
	require.Equal(t, "no agent in pool gpu offers gpu>=1", w.Missing(now))
	w.Need.GPUs = 0
	require.Equal(t, "no agent has joined pool gpu", w.Missing(now))
}

// Room is there, and it is kept for another one: who that is, what it asks for
// and how long it has waited.
func TestRoomThatIsKeptFree(t *testing.T) {
	t.Parallel()
	big := func(need explain.Need) explain.Aged {
		return explain.Aged{Run: id.UUID{7}, Task: "train", Name: "train of nightly#7", Since: now.Add(-2 * time.Minute), Need: need}
	}
	one := func(aged ...explain.Aged) *explain.Wait {
		return &explain.Wait{
			Pool: explain.Pool{Name: "gpu"}, Need: explain.Need{Slots: 1}, Since: now.Add(-75 * time.Second), Share: 1, Aged: aged, Task: "small",
			Agents: []explain.Agent{{Name: "a3", Online: true, Slots: 4, SlotsUsed: 2}, {Name: "a4", Online: true, Slots: 2, SlotsUsed: 2}},
		}
	}
	said := func(w *explain.Wait) (explain.Reason, string) {
		e := explain.Explain(now, explain.Task{RunState: "running", State: "ready"}, w)
		return e.Reason, e.Text
	}
	reason, text := said(one(big(explain.Need{Slots: 4})))
	require.Equal(t, explain.ReasonReserved, reason)
	require.Equal(t, "room in pool gpu is kept free for train of nightly#7, which asks for 4 slots and has waited 2m0s", text)
	_, text = said(one(big(explain.Need{Slots: 1, GangSize: 5})))
	require.Contains(t, text, "which asks for 5 members of 1 slot and has waited")

	w := one(big(explain.Need{Slots: 4}))
	w.Pool.Slots, w.Pool.Used = 4, 3
	_, text = said(w)
	require.Contains(t, text, "room in pool gpu is kept free for train of nightly#7", "the pool's own slots, too")

	for why, w := range map[string]*explain.Wait{
		"it fits":               one(big(explain.Need{Slots: 2})),
		"it never will":         one(big(explain.Need{Slots: 8})),
		"it is a decision":      one(big(explain.Need{})),
		"others could run this": one(big(explain.Need{Slots: 4, GPUs: 1})),
	} {
		reason, _ := said(w)
		require.Equal(t, explain.ReasonQueued, reason, why)
	}
	own := one(explain.Aged{Task: "small", Need: explain.Need{Slots: 4}})
	reason, _ = said(own)
	require.Equal(t, explain.ReasonQueued, reason, "it is the task itself")
	free := one(big(explain.Need{Slots: 4}))
	free.Agents[1].Labels, free.Agents[1].SlotsUsed = nil, 1
	reason, _ = said(free)
	require.Equal(t, explain.ReasonQueued, reason, "another agent has room that nobody waits for")
}

func TestTasksThatStandInNoQueue(t *testing.T) {
	t.Parallel()
	for want, task := range map[string]explain.Task{
		"it has ended: failed: exit code 1":        {RunState: "running", State: "failed", Reason: "exit code 1"},
		"it runs on a3":                            {RunState: "running", State: "running", Agent: "a3"},
		"the run is pending: concurrency(risk, 2)": {RunState: "pending", RunReason: "concurrency(risk, 2)", State: "pending"},
		"it waits for a (running), b (ready), c (ready) and 1 more (2 of 6 upstream tasks have ended)": {RunState: "running", State: "pending", Needs: 6, Waiting: []string{"a (running)", "b (ready)", "c (ready)", "d (ready)"}},
		"the next try is at 14:02:10 UTC, in 10s: exit code 1":                                         {RunState: "running", State: "backoff", RetryAt: now.Add(10 * time.Second), Reason: "exit code 1"},
		"it is being decided; ask again":                                                               {RunState: "running", State: "ready"},
	} {
		require.Equal(t, want, explain.Explain(now, task, nil).Text)
	}
}
