package engine_test

import (
	"crypto/md5"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func steps(tasks ...plan.Task) *plan.Plan {
	p := &plan.Plan{Format: plan.Format, Name: "p", Tasks: tasks}
	for i := range p.Tasks {
		p.Tasks[i].Run = "run " + p.Tasks[i].Name
	}
	return p
}

func digestsOf(items ...string) [][]byte {
	var out [][]byte
	for _, it := range items {
		d := md5.Sum([]byte(it))
		out = append(out, d[:])
	}
	return out
}

// resumed is a world whose run takes over what another one left. digests are of
// the items of the maps of the other run, by the entry that told them.
func resumed(t require.TestingT, from *world, p *plan.Plan, digests map[int64][]byte, change func(*engine.Reuse)) (*world, []engine.Kept) {
	w := newWorld(t, p)
	r := &engine.Reuse{Run: from.s.ID, Graph: from.g, State: from.s, Digests: func(seq int64) []byte { return digests[seq] }}
	if change != nil {
		change(r)
	}
	seed, kept, err := w.g.Plant(r)
	require.NoError(t, err)
	w.must(engine.Sow{Now: w.now, Seed: seed})
	again := w.must(engine.Sow{Now: w.now, Seed: seed})
	require.True(t, again.Empty())
	w.must(engine.Start{Now: w.now})
	return w, kept
}

// live lets a run go on; end says how the attempt of a path ends.
func (w *world) drive(end func(path string) engine.Outcome) []string {
	var ran []string
	for !w.s.Run.Terminal() {
		if tasks := sortedKeys(w.ready); len(tasks) > 0 {
			w.grant(tasks[0])
		} else {
			require.True(w.t, w.tick(), "stuck")
		}
		for _, i := range sortedKeys(w.leases) {
			if w.leases[i].Attempt > 0 {
				ran = append(ran, w.g.Path(w.s, i))
			}
			w.must(w.report(i, end(w.g.Path(w.s, i)), 1))
		}
	}
	return ran
}

func well(string) engine.Outcome { return engine.OutcomeSucceeded }

func fails(paths ...string) func(string) engine.Outcome {
	return func(p string) engine.Outcome {
		if slices.Contains(paths, p) {
			return engine.OutcomeFailed
		}
		return engine.OutcomeSucceeded
	}
}

func TestAResumeRunsWhatFailedAndWhatChanged(t *testing.T) {
	t.Parallel()
	old := newWorld(t, steps(task("a"), task("b", 0), task("c", 1)))
	old.must(engine.Start{Now: old.now})
	require.Equal(t, []string{"a", "b"}, old.drive(fails("b")))

	fixed := steps(task("a"), task("b", 0), task("c", 1))
	fixed.Tasks[1].Run = "better"
	w, kept := resumed(t, old, fixed, nil, nil)
	require.Equal(t, []engine.Kept{{Task: "a", Reused: true}, {Task: "b", Reason: "spec changed"}, {Task: "c", Reason: "downstream of b"}}, kept)
	require.Equal(t, []string{"b", "c"}, w.drive(well))
	require.Equal(t, engine.TaskReused, w.s.Tasks[0].State)
	require.Equal(t, engine.Origin{Seq: 2}, w.s.Origins[0])

	// What was taken over is taken over again, from where it was made.
	again, _ := resumed(t, w, fixed, nil, func(r *engine.Reuse) { r.From = "c" })
	require.Equal(t, []string{"c"}, again.drive(well))
	require.Equal(t, engine.Origin{Run: 1, Seq: 2}, again.s.Origins[0])

	fixed.Tasks[0].Run = "other"
	w, kept = resumed(t, old, fixed, nil, nil)
	require.Equal(t, "spec changed", kept[0].Reason)
	require.Equal(t, []string{"a", "b", "c"}, w.drive(well))
	_, kept = resumed(t, old, fixed, nil, func(r *engine.Reuse) { r.Trust = true })
	require.True(t, kept[0].Reused)
}

func TestAResumeRunsWhoReadsAChangedParam(t *testing.T) {
	t.Parallel()
	p := steps(task("a"), task("b"), task("c", 0, 1))
	p.Tasks[1].Reads.Params = []string{"lr"}
	old := newWorld(t, p)
	old.must(engine.Start{Now: old.now})
	old.drive(well)
	w, _ := resumed(t, old, p, nil, func(r *engine.Reuse) { r.Changed = []string{"lr"} })
	require.Equal(t, []string{"b", "c"}, w.drive(well))
	w, _ = resumed(t, old, p, nil, nil)
	require.True(t, w.s.Run.Terminal(), "there is nothing left to run")
	require.Equal(t, engine.RunSucceeded, w.s.Run)
}

func mapOver(t *testing.T, items []string, end func(string) engine.Outcome) (*world, map[int64][]byte) {
	t.Helper()
	each := task("each", 0)
	each.ForEach = &plan.ForEach{Items: "${{ tasks.split.outputs.x }}", Type: plan.TypeString}
	w := newWorld(t, steps(task("split"), each, task("join", 1)))
	w.answer = func() engine.Answer { return engine.Answer{Yes: true, Count: len(items), Digests: digestsOf(items...)} }
	if end != nil {
		w.must(engine.Start{Now: w.now})
		w.drive(end)
	}
	return w, map[int64][]byte{w.asked(): slices.Concat(digestsOf(items...)...)}
}

func (w *world) asked() int64 {
	for _, f := range w.s.Fans {
		return f.AskedSeq
	}
	return 0
}

func TestItemsAreTakenOverByWhatTheyAre(t *testing.T) {
	t.Parallel()
	var items []string
	for i := range 10 {
		items = append(items, fmt.Sprint("item ", i))
	}
	old, digests := mapOver(t, items, fails("each[4]", "each[7]"))
	require.Equal(t, engine.RunFailed, old.s.Run)

	w, kept := resumed(t, old, old.g.Plan, digests, nil)
	require.Equal(t, engine.Kept{Task: "each", Items: 8, Reason: "its items are looked at again"}, kept[1])
	w.answer = old.answer
	require.Equal(t, []string{"each[4]", "each[7]", "join"}, w.drive(well))
	require.Equal(t, engine.RunSucceeded, w.s.Run)

	// Reordered, and one more.
	slices.Reverse(items)
	items = append(items, "new")
	again, _ := resumed(t, w, old.g.Plan, digestsAt(w, digests), func(r *engine.Reuse) { r.From = "join" })
	again.answer = func() engine.Answer { return engine.Answer{Yes: true, Count: len(items), Digests: digestsOf(items...)} }
	require.Equal(t, []string{"each[10]", "join"}, again.drive(well))
}

// Of a group's items the tasks are taken over that succeeded, and nothing that
// lies behind one that did not.
func TestItemsOfGroupsAreTakenOverTaskByTask(t *testing.T) {
	t.Parallel()
	group := task("fold", 0)
	group.Group, group.ForEach = true, &plan.ForEach{Items: "${{ tasks.split.outputs.x }}", Type: plan.TypeString}
	p := steps(task("split"), group, task("join", 1), task("fold/train"), task("fold/test", 3), task("fold/size"))
	p.Tasks[1].Run = ""
	for i := 3; i < 6; i++ {
		p.Tasks[i].In = 2
	}
	items := []string{"a", "b", "c", "d"}
	answer := func() engine.Answer { return engine.Answer{Yes: true, Count: len(items), Digests: digestsOf(items...)} }
	old := newWorld(t, p)
	old.answer = answer
	old.must(engine.Start{Now: old.now})
	old.drive(fails("fold[1]/test", "fold[2]/train"))
	digests := map[int64][]byte{old.asked(): slices.Concat(digestsOf(items...)...)}

	w, kept := resumed(t, old, p, digests, nil)
	w.answer = answer
	require.Equal(t, engine.Kept{Task: "fold", Items: 2, Reason: "its items are looked at again"}, kept[1])
	require.ElementsMatch(t, []string{"fold[1]/test", "fold[2]/train", "fold[2]/test", "join"}, w.drive(well))
	require.Equal(t, engine.RunSucceeded, w.s.Run)

	// All of it, from one behind it on; and none, where a task inside reads what changed.
	again, kept := resumed(t, w, p, digestsAt(w, digests), func(r *engine.Reuse) { r.From = "join" })
	again.answer = answer
	require.True(t, kept[1].Reused)
	require.Equal(t, []string{"join"}, again.drive(well))
	p.Tasks[4].Reads.Params = []string{"lr"}
	_, kept = resumed(t, w, p, digestsAt(w, digests), func(r *engine.Reuse) { r.Changed, r.Trust = []string{"lr"}, true })
	require.Equal(t, "param lr changed", kept[1].Reason)
}

// digestsAt tells the same digests for another run's entry.
func digestsAt(w *world, digests map[int64][]byte) map[int64][]byte {
	for _, d := range digests {
		return map[int64][]byte{w.asked(): d}
	}
	return nil
}

func TestALoopGoesOnAtItsLastWholePass(t *testing.T) {
	t.Parallel()
	loop := task("search")
	loop.Repeat = &plan.Repeat{Until: "outputs.x >= 5", Max: 9}
	p := steps(loop)
	old := newWorld(t, p)
	old.answer = func() engine.Answer { return engine.Answer{} }
	old.must(engine.Start{Now: old.now})
	old.drive(fails("search[3]"))
	w, _ := resumed(t, old, p, nil, nil)
	asked := 0
	w.answer = func() engine.Answer { asked++; return engine.Answer{Yes: asked == 5} }
	require.Equal(t, []string{"search[3]", "search[4]"}, w.drive(well))
	require.Equal(t, engine.RunSucceeded, w.s.Run)
}

func TestOneTaskIsTestedAlone(t *testing.T) {
	t.Parallel()
	p := steps(task("a"), task("b", 0), task("c", 1), handler("h", plan.ExitAlways))
	p.Tasks[1].Rule = plan.RuleAllFailed
	w := newWorld(t, p)
	only := int32(1)
	w.must(engine.Sow{Now: w.now, Seed: &engine.Seed{From: id.UUID{7}, Only: &only}})
	w.must(engine.Start{Now: w.now})
	w.grant(1)
	w.must(w.report(1, engine.OutcomeSucceeded, 0))
	require.Equal(t, engine.RunSucceeded, w.s.Run)
	for _, i := range []int{0, 2, 3} {
		require.Equal(t, engine.TaskSkipped, w.s.Tasks[i].State)
	}
}

// Whatever is taken over from whatever became of a run: what is reused is never
// leased, and the new run keeps every invariant.
func TestRandomResumes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		p := drawDynamic(r, planConfig{main: 4, exit: 0})
		h := &history{world: newWorld(r, p), r: r}
		h.drawAnswers()
		h.send(engine.Start{Now: h.now})
		for range rapid.IntRange(0, 80).Draw(r, "steps") {
			h.step()
		}
		digests := map[int64][]byte{}
		for _, f := range h.s.Fans {
			digests[f.AskedSeq] = make([]byte, engine.DigestSize*int(f.Count)) // all items are equal
		}
		w, _ := resumed(r, h.world, p, digests, nil)
		n := &history{world: w, r: r}
		n.answer = func() engine.Answer {
			count := rapid.IntRange(0, 5).Draw(r, "count")
			return engine.Answer{Yes: rapid.IntRange(0, 3).Draw(r, "yes") > 0, Count: count, Digests: zeroDigests(count)}
		}
		for range rapid.IntRange(0, 60).Draw(r, "steps") {
			n.step()
		}
		for i := range w.s.Origins {
			require.True(r, w.s.Tasks[i].State != engine.TaskReused || w.grants[grantKey{w.s.Generation, i}] == 0)
		}
		n.end()
		n.crash()
	})
}

func zeroDigests(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = make([]byte, engine.DigestSize)
	}
	return out
}

// A list that is another one leaves its items what they were, unless they read
// what it is made from.
func TestAnEditedListRunsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	p := func() *plan.Plan {
		return steps(plan.Task{Name: "split"}, plan.Task{
			Name: "child", Needs: []int{0}, ForEach: &plan.ForEach{Items: "${{ params.items }}", Type: plan.TypeString},
			Asked: plan.Reads{Params: []string{"items"}, Outputs: []plan.OutputRef{{Task: "split", Output: "x"}}},
		}, plan.Task{Name: "collect", Needs: []int{1}})
	}
	for _, c := range []struct {
		name, reads, from string
		why               string
	}{
		{"the list alone", "", "", "its items are looked at again"},
		{"an item, too", "items", "", "param items changed"},
		{"from before it", "", "split", "downstream of split"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, p())
			w.must(engine.Start{Now: w.now})
			w.drive(well)
			r := &engine.Reuse{
				Run: w.s.ID, Graph: w.g, State: w.s, Changed: []string{"items"}, From: c.from,
				Digests: func(int64) []byte { return make([]byte, engine.DigestSize*int(w.s.Fans[1].Count)) },
				Beside: func(int32) ([]string, []string, error) {
					if c.reads != "" {
						return []string{c.reads}, nil, nil
					}
					return nil, nil, nil
				},
			}
			_, kept, err := w.g.Plant(r)
			require.NoError(t, err)
			require.Equal(t, c.why, kept[1].Reason)
			require.False(t, kept[1].Reused)
			require.Equal(t, "downstream of child", kept[2].Reason)
		})
	}
}
