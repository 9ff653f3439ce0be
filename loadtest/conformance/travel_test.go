package conformance_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
)

func travelChecks() []check {
	return []check{
		{capability: "C-63", says: "explain: no agent, and when it was last seen", test: explainNoAgent},
		{capability: "C-63", says: "explain: a full pool, how many are ahead", test: explainFull},
		{capability: "C-63", says: "explain: a lane's fair share of a full pool", test: explainShare},
		{capability: "C-63", says: "--at shows what ran at that moment", test: travels},
		{capability: "C-63", says: "a thousand random runs, replayed: equal digests", test: replaysMany},
		{capability: "C-63", says: "diff names exactly the input that changed", test: differs},
		{capability: "C-63", says: "fork from a task with changed params", needs: "run resume --from --set", test: forks},
	}
}

// why is the sentence that explains a task.
func (d *desk) why(id string) string {
	d.t.Helper()
	return d.must("run", "explain", id, "--json", "--jq", ".tasks[0].text")
}

func explainNoAgent(d *desk) {
	agent := d.agent("one", 1)
	d.apply("behind.yaml")
	require.NoError(d.t, agent.Stop())
	id := d.start("behind")
	said := ""
	d.eventually(60*time.Second, "explain notices that nobody is there", func() bool {
		said = d.why(id)
		return said != "" && said != "null"
	})
	require.Contains(d.t, said, "no agent online in pool default")
	require.Contains(d.t, said, "last seen")
	d.must("run", "cancel", id)
}

func explainFull(d *desk) {
	d.agent("one", 4)
	d.apply("busy.yaml")
	d.apply("behind.yaml")
	busy := d.start("busy")
	d.eventually(20*time.Second, "the pool is full", func() bool { return d.must("pool", "get", "default", "--jq", ".pool.leased") == "4" })
	ids := make([]string, 13)
	for i := range ids {
		ids[i] = d.start("behind")
	}
	said := d.why(ids[12])
	require.Contains(d.t, said, "4/4")
	require.Contains(d.t, said, "12 ahead")
	d.must("run", "cancel", busy)
	for _, id := range ids {
		require.Equal(d.t, "succeeded", d.ended(id, 60*time.Second).Run.State)
	}
}

// explainShare has four teams wait for a pool that a fifth one's run fills.
func explainShare(d *desk) {
	d.agent("one", 4)
	d.must("pool", "set", "default", "--fairness", "label:team")
	d.apply("busy.yaml")
	d.apply("behind.yaml")
	busy := d.start("busy", "--label", "team=a")
	d.eventually(20*time.Second, "the pool is full", func() bool { return d.must("pool", "get", "default", "--jq", ".pool.leased") == "4" })
	var ids []string
	for _, team := range []string{"b", "c", "d"} {
		for range 4 {
			ids = append(ids, d.start("behind", "--label", "team="+team))
		}
	}
	last := d.start("behind", "--label", "team=a")
	said := d.why(last)
	require.Contains(d.t, said, "4/4")
	require.Contains(d.t, said, "ahead of it, fair share 25%")
	d.must("run", "cancel", busy)
	for _, id := range append(ids, last) {
		require.Equal(d.t, "succeeded", d.ended(id, 60*time.Second).Run.State)
	}
}

func travels(d *desk) {
	d.agent("one", 4)
	d.apply("travel.yaml")
	ids := make([]string, 10)
	for i := range ids {
		ids[i] = d.start("travel")
	}
	for _, id := range ids {
		r := d.ended(id, 60*time.Second)
		b := d.task(r, "b").Attempts[0]
		then := d.get(id, "--at", b.StartedAt.Add(500*time.Millisecond).UTC().Format(time.RFC3339Nano))
		require.Equal(d.t, "running", then.Run.State)
		require.Equal(d.t, "succeeded", then.states()["a"])
		require.Contains(d.t, []string{"running", "ready", "open", "leased"}, then.states()["b"])
		d.must("run", "replay", id, "--verify")
	}
}

// replaysMany starts runs of many kinds, some of which fail, loop, wait or are
// canceled, and replays each.
func replaysMany(d *desk) {
	d.agent("one", 16)
	d.apply("behind.yaml")
	d.apply("tolerate.yaml")
	d.apply("conditions.yaml")
	d.apply("empty.yaml")
	d.apply("exit.yaml", "FILE", filepath.Join(d.dir, "tidied"))
	d.apply("fan.yaml", "TOLERATE", "1", "DIR", d.dir)
	d.apply("loop.yaml", "FILE", "/")
	d.touch("broken-b")
	d.touch("broken-c")
	roll := rand.New(rand.NewPCG(3, 4)) // the same runs each time
	kinds := []func() []string{
		func() []string { return []string{"behind"} },
		func() []string { return []string{"tolerate"} },
		func() []string { return []string{"conditions", "-p", fmt.Sprintf("f1=%.2f", roll.Float64())} },
		func() []string { return []string{"empty"} },
		func() []string { return []string{"exit", "-p", "how=" + []string{"fail", "well"}[roll.IntN(2)]} },
		func() []string {
			return []string{"fan", "-p", "parts=" + []string{`[]`, `["a"]`, `["a","b"]`, `["b","c","d"]`}[roll.IntN(4)]}
		},
		func() []string { return []string{"loop"} },
	}
	ids := make([]string, *replays)
	for i := range ids {
		args := kinds[roll.IntN(len(kinds))]()
		ids[i] = d.start(args[0], args[1:]...)
		if roll.IntN(10) == 0 {
			d.cli("run", "cancel", ids[i]) // it may be over already
		}
	}
	states := map[string]int{}
	for _, id := range ids {
		states[d.ended(id, 10*time.Minute).Run.State]++
		d.must("run", "replay", id, "--verify")
	}
	require.Subset(d.t, slices.Collect(maps.Keys(states)), []string{"succeeded", "failed"})
}

func differs(d *desk) {
	d.agent("one", 2)
	d.apply("travel.yaml")
	one, other := d.start("travel"), d.start("travel", "-p", "lr=0.2")
	d.ended(one, 30*time.Second)
	d.ended(other, 30*time.Second)
	require.Equal(d.t, "lr", d.must("run", "diff", one, other, "--json", "--jq", `.params[] | select(.likeness != "LIKENESS_SAME") | .name`))
	require.Empty(d.t, d.must("run", "diff", one, other, "--json", "--jq", `.tasks[] | select(.spec != "LIKENESS_SAME") | .task`))
}

func forks(d *desk) {
	d.agent("one", 2)
	d.apply("travel.yaml")
	id := d.start("travel")
	d.ended(id, 30*time.Second)
	r := d.ended(d.resume(id, "--from", "b", "--set", "seed=2"), 30*time.Second)
	require.Equal(d.t, map[string]string{"a": "reused", "b": "succeeded"}, r.states())
}
