package engine_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// checkFans counts again what maps, loops and groups count of their items.
func (w *world) checkFans() {
	for owner, f := range w.s.Fans {
		if w.stale(owner) {
			continue
		}
		var made, done, bad, running int32
		for _, b := range f.Blocks {
			bl := &w.s.Blocks[b]
			require.Equal(w.t, owner, bl.Owner)
			for k := range min(bl.Count, f.Made-bl.First) {
				made++
				ended, failing := true, false
				for i := bl.Base + k*bl.Width; i < bl.Base+(k+1)*bl.Width; i++ {
					st := w.s.Tasks[i].State
					ended = ended && st.Terminal()
					failing = failing || st.Failing()
				}
				if ended {
					done++
				}
				if ended && failing {
					bad++
				}
				if !ended && bl.First+k < f.Begun {
					running++
				}
			}
		}
		require.Equal(w.t, f.Made, made, "items made of task %d", owner)
		require.Equal(w.t, f.Done, done, "items done of task %d", owner)
		w.checkPaths(owner)
		t, state := w.g.Task(w.s, owner), w.s.Tasks[owner].State
		if t.ForEach == nil || t.Group {
			continue
		}
		if n := int32(t.ForEach.MaxParallel); n > 0 {
			require.LessOrEqual(w.t, running, n, "items beside each other of task %d", owner)
		}
		if state == engine.TaskSucceeded {
			require.LessOrEqual(w.t, int(bad), t.ForEach.Tolerated(int(f.Count)), "a map that tolerates too much")
		}
		if state.Terminal() && !f.Stopped && made > 0 {
			require.Equal(w.t, f.Count, done, "a map ended before its items")
		}
	}
}

// checkPaths finds what is part of a task by its path.
func (w *world) checkPaths(owner int32) {
	for i := range w.g.Inside(w.s, owner, 0) {
		at, ok := w.g.Find(w.s, w.g.Path(w.s, i))
		require.True(w.t, ok, w.g.Path(w.s, i))
		require.Equal(w.t, i, at, w.g.Path(w.s, i))
		up, _ := w.g.Owner(w.s, i)
		require.Equal(w.t, owner, up)
	}
}

// stale reports whether a task, or what it is part of, is not made in this
// generation: it was by an earlier one.
func (w *world) stale(i int32) bool {
	for i >= w.g.Own() {
		var owner int32
		for b := range w.s.Blocks {
			bl := &w.s.Blocks[b]
			if i >= bl.Base && i < bl.Base+bl.Width*bl.Count {
				owner = bl.Owner
				f, current := w.s.Fans[owner], false
				for _, of := range f.Blocks {
					current = current || of == int32(b)
				}
				if !current || bl.First+(i-bl.Base)/bl.Width >= f.Made {
					return true
				}
			}
		}
		i = owner
	}
	return false
}

// drawLayers makes some tasks many, or conditional.
func drawLayers(t *rapid.T, tk *plan.Task) {
	if rapid.IntRange(0, 3).Draw(t, "if") == 0 {
		tk.If = "true"
	}
	if rapid.IntRange(0, 2).Draw(t, "map") == 0 {
		f := &plan.ForEach{
			Type: plan.TypeInt, MaxParallel: rapid.IntRange(0, 2).Draw(t, "parallel"), Tolerate: rapid.IntRange(0, 2).Draw(t, "tolerate"),
			OnEmpty:       rapid.SampledFrom([]plan.OnEmpty{"", plan.OnEmptySkip, plan.OnEmptyFail}).Draw(t, "empty"),
			StopOnFailure: rapid.Bool().Draw(t, "stop on failure"), Max: 4,
		}
		if rapid.Bool().Draw(t, "known") {
			f.Count = rapid.IntRange(1, 3).Draw(t, "count")
		} else {
			f.Items = "${{ params.list }}"
		}
		if rapid.IntRange(0, 3).Draw(t, "item if") == 0 {
			tk.ItemIf = "item > 1"
		}
		tk.ForEach = f
	}
	if rapid.IntRange(0, 4).Draw(t, "loop") == 0 {
		tk.Repeat = &plan.Repeat{
			Until: "true", Max: rapid.IntRange(1, 3).Draw(t, "max"), OnMax: rapid.SampledFrom([]string{"", "succeed"}).Draw(t, "on max"),
		}
	}
}

// drawGroups makes groups of some tasks, and of some inside of these.
func drawGroups(t *rapid.T, p *plan.Plan, c planConfig) {
	for i, depth := 0, map[int]int{}; i < len(p.Tasks); i++ {
		g := &p.Tasks[i]
		if g.Exit != "" || g.Template || engine.Holds(g) || depth[i] >= 2 || rapid.IntRange(0, 4).Draw(t, "group") > 0 {
			continue
		}
		g.Group = true
		first := len(p.Tasks)
		for k := range rapid.IntRange(1, 3).Draw(t, "inner") {
			tk := drawTask(t, c)
			drawLayers(t, &tk)
			tk.Name, tk.In = fmt.Sprintf("%s/i%d", p.Tasks[i].Name, k), i+1
			for up := range k {
				if rapid.Bool().Draw(t, "needs") {
					tk.Needs = append(tk.Needs, first+up)
				}
			}
			if k > 0 {
				tk.Rule = rapid.SampledFrom(drawnRules).Draw(t, "rule")
			}
			depth[len(p.Tasks)] = depth[i] + 1
			p.Tasks = append(p.Tasks, tk)
		}
	}
}

// drawDynamic draws a plan whose tasks become many, and a template.
func drawDynamic(t *rapid.T, c planConfig) *plan.Plan {
	p := drawPlan(t, c)
	for i := range p.Tasks {
		if p.Tasks[i].Exit == "" {
			drawLayers(t, &p.Tasks[i])
		}
	}
	drawGroups(t, p, c)
	return p
}

// drawAnswers lets decisions come out as they like.
func (h *history) drawAnswers() {
	h.answer = func() engine.Answer {
		return engine.Answer{Yes: rapid.IntRange(0, 3).Draw(h.r, "yes") > 0, Count: rapid.IntRange(0, 5).Draw(h.r, "count")}
	}
}

// What holds for runs as their plans have them holds for those whose tasks come
// into being: every command may be repeated, every crash is survived, nothing is
// stuck, and what maps, loops and groups count is what their items say.
func TestRandomHistoriesOfDynamicRuns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		h := &history{world: newWorld(r, drawDynamic(r, planConfig{main: 4, exit: 1, controls: true})), r: r}
		h.drawAnswers()
		h.send(engine.Start{Now: h.now, Actor: "usr_a"})
		for range rapid.IntRange(0, 120).Draw(r, "steps") {
			h.step()
		}
		h.end()
		require.True(r, h.s.Run.Terminal())
		h.crash()
	})
}

// A step adds tasks, which wait for each other as it says, and waits for them.
func TestRandomHistoriesOfRunsThatPlan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		p := drawDynamic(r, planConfig{main: 3, exit: 1})
		template := drawTask(r, planConfig{})
		template.Name, template.Template = "template", true
		p.Tasks[0].Needs, p.Tasks[0].Rule = nil, ""
		at := 0
		for at < len(p.Tasks) && p.Tasks[at].In == 0 {
			at++
		}
		p.Tasks = insertTask(p.Tasks, at, template)
		h := &history{world: newWorld(r, p), r: r}
		h.drawAnswers()
		h.planned = func(int32) []engine.Member {
			var out []engine.Member
			for k := range rapid.IntRange(0, 3).Draw(r, "added") {
				m := engine.Member{ID: fmt.Sprintf("m%d", k), Node: int32(at)}
				for up := range k {
					if rapid.Bool().Draw(r, "needs") {
						m.Needs = append(m.Needs, int32(up))
					}
				}
				out = append(out, m)
			}
			return out
		}
		h.send(engine.Start{Now: h.now})
		for range rapid.IntRange(0, 80).Draw(r, "steps") {
			h.step()
		}
		h.planned = nil // else it may go on for ever
		h.end()
		require.True(r, h.s.Run.Terminal())
		h.crash()
	})
}

// insertTask puts a task in, and moves the indices of what comes after it.
func insertTask(tasks []plan.Task, at int, tk plan.Task) []plan.Task {
	out := append(append(append([]plan.Task{}, tasks[:at]...), tk), tasks[at:]...)
	for i := range out {
		for k, up := range out[i].Needs {
			if up >= at {
				out[i].Needs[k] = up + 1
			}
		}
		if out[i].In > at {
			out[i].In++
		}
	}
	return out
}
