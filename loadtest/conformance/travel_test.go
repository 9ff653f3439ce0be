package conformance_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/loadtest/stack"
)

func travelChecks() []check {
	return []check{
		{capability: "C-63", says: "explain: no agent, and when it was last seen", test: explainNoAgent},
		{capability: "C-63", says: "explain: a full pool, how many are ahead, the fair share", test: explainFull},
		{capability: "C-63", says: "--at shows the running set of that moment", test: travels},
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
	d.must("pool", "create", "cpu")
	d.apply("behind.yaml", "name: behind", "name: behind\npool: cpu")
	for _, agent := range []*stack.Agent{d.agent("one", 1), d.agentOf("cpu", "two", 1)} {
		require.NoError(d.t, agent.Stop())
	}
	id := d.start("behind")
	said := ""
	d.eventually(60*time.Second, "explain notices that nobody is there", func() bool {
		said = d.why(id)
		return said != "" && said != "null"
	})
	require.Regexp(d.t, `^no agent online in pool cpu \(last seen 20\d\d-.*\)$`, said)
	d.must("run", "cancel", id)
}

// explainFull has four teams wait for a pool that a run of the first one fills.
func explainFull(d *desk) {
	d.agent("one", 4)
	d.must("pool", "set", "default", "--fairness", "label:team")
	d.apply("busy.yaml")
	d.apply("behind.yaml")
	busy := d.start("busy", "--label", "team=a")
	d.eventually(20*time.Second, "the pool is full", func() bool { return d.must("pool", "get", "default", "--jq", ".pool.leased") == "4" })
	var ids []string
	for _, team := range []string{"b", "c", "d"} {
		ids = append(ids, d.start("behind", "--label", "team="+team))
	}
	for range 13 {
		ids = append(ids, d.start("behind", "--label", "team=a"))
	}
	require.Equal(d.t, "pool default is full, 4/4 slots; 12 ahead of it, fair share 25%", d.why(ids[len(ids)-1]))
	d.must("run", "cancel", busy)
	for _, id := range ids {
		require.Equal(d.t, "succeeded", d.ended(id, 60*time.Second).Run.State)
	}
}

// travels asks how a run stood, at moments between what is known to have happened
// to its tasks; each moment has other tasks running.
func travels(d *desk) {
	d.agent("one", 4)
	d.apply("span.yaml")
	ids := make([]string, 4)
	for i := range ids {
		ids[i] = d.start("span")
	}
	seen := map[string]bool{}
	for _, id := range ids {
		r := d.ended(id, 60*time.Second)
		begun, ended := d.spans(r)
		for _, moment := range moments(begun, ended) {
			want := map[string]string{}
			for _, x := range r.Tasks {
				switch {
				case moment.After(ended[x.Name]):
					want[x.Name] = "succeeded"
				case moment.After(begun[x.Name]):
					want[x.Name] = "running"
				}
			}
			then := d.get(id, "--at", moment.UTC().Format(time.RFC3339Nano))
			require.Equal(d.t, "running", then.Run.State)
			got := then.states()
			maps.DeleteFunc(got, func(_, state string) bool { return state == "pending" || state == "ready" })
			require.Equal(d.t, want, got, "at %s", moment)
			maps.DeleteFunc(got, func(_, state string) bool { return state != "running" })
			seen[strings.Join(slices.Sorted(maps.Keys(got)), " ")] = true
		}
		d.must("run", "replay", id, "--verify")
	}
	require.Subset(d.t, slices.Collect(maps.Keys(seen)), []string{"a", "b c"}, "one task, and several")
}

// spans are when an agent was given each task, and when its end was known.
func (d *desk) spans(r run) (begun, ended map[string]time.Time) {
	d.t.Helper()
	begun, ended = map[string]time.Time{}, map[string]time.Time{}
	for _, x := range r.Tasks {
		begun[x.Name] = *x.Attempts[0].GrantedAt
	}
	for _, e := range d.history(r.Run.ID) {
		if e.Kind == "attempt_ended" {
			ended[e.Task] = e.At
		}
	}
	return begun, ended
}

// moments lie in the middle of the stretches in which no task began or ended, where
// these are long enough to be told apart.
func moments(begun, ended map[string]time.Time) []time.Time {
	var middles []time.Time
	changes := slices.AppendSeq(slices.Collect(maps.Values(begun)), maps.Values(ended))
	slices.SortFunc(changes, time.Time.Compare)
	for i, next := range changes[1:] {
		if gap := next.Sub(changes[i]); gap > 100*time.Millisecond {
			middles = append(middles, changes[i].Add(gap/2))
		}
	}
	return middles
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
