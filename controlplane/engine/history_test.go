package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

var drawnOutcomes = []engine.Outcome{
	engine.OutcomeSucceeded, engine.OutcomeSucceeded, engine.OutcomeSucceeded, engine.OutcomeFailed,
	engine.OutcomeFailed, engine.OutcomeTimedOut, engine.OutcomeLost, engine.OutcomePreempted,
	engine.OutcomeRejected, engine.OutcomeRefused, engine.OutcomeSkipped, engine.OutcomeCanceled,
}

// sent is a command that decided something, with the generation it meant.
type sent struct {
	command    engine.Command
	generation int32
}

// history is a random life of a run.
type history struct {
	*world

	r    *rapid.T
	sent []sent
}

// Whatever happens to a run, in whatever order, with commands that arrive twice
// and crashes between any two of them: the invariants hold after each command
// (world.check), and the run can always be brought to its end.
func TestRandomHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		h := &history{world: newWorld(r, drawPlan(r, planConfig{main: 8, exit: 2, controls: true})), r: r}
		if rapid.IntRange(0, 9).Draw(r, "cancel first") > 0 {
			h.send(engine.Start{Now: h.now, Actor: "usr_a"})
		}
		for range rapid.IntRange(0, 60).Draw(r, "steps") {
			h.step()
		}
		h.end()
		require.True(r, h.s.Run.Terminal())
		h.crash()
	})
}

// Large graphs keep the invariants as well as small ones.
func TestRandomHistoryOfALargeGraph(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		if rapid.IntRange(0, 9).Draw(r, "one in ten") > 0 {
			return
		}
		h := &history{world: newWorld(r, drawPlan(r, planConfig{main: 60, exit: 3, controls: true})), r: r}
		h.send(engine.Start{Now: h.now})
		for range 150 {
			h.step()
		}
		h.end()
		require.True(r, h.s.Run.Terminal())
	})
}

// send decides a command and remembers it if it decided something.
func (h *history) send(c engine.Command) {
	generation := h.s.Generation
	if d, err := h.do(c); err == nil && !d.Empty() {
		h.sent = append(h.sent, sent{c, generation})
	}
}

func (h *history) step() {
	switch rapid.IntRange(0, 19).Draw(h.r, "step") {
	case 0, 1, 2, 3, 4:
		if task, ok := h.pick(sortedKeys(h.ready)); ok {
			h.grant(task)
		}
	case 5:
		h.turn()
	case 6, 7:
		if task, ok := h.pick(sortedKeys(h.leases)); ok {
			h.start(task)
		}
	case 8, 9, 10, 11, 12, 13:
		h.reportAny()
	case 14:
		h.now = h.now.Add(time.Duration(rapid.IntRange(1, 3000).Draw(h.r, "ms")) * time.Millisecond)
	case 15, 16:
		h.tick()
	case 17:
		h.crash()
	case 18:
		h.repeat()
	case 19:
		h.control()
	}
}

func (h *history) reportAny() {
	if task, ok := h.pick(sortedKeys(h.leases)); ok {
		h.send(h.report(task,
			rapid.SampledFrom(drawnOutcomes).Draw(h.r, "outcome"),
			rapid.SampledFrom([]int32{1, 2, 75, 77}).Draw(h.r, "exit")))
	}
}

// control is an act from outside; most histories see few of them.
func (h *history) control() {
	switch rapid.IntRange(0, 4).Draw(h.r, "control") {
	case 0:
		h.send(engine.Cancel{Now: h.now, Generation: h.s.Generation, Live: h.live()})
	case 1:
		h.send(engine.Cancel{Now: h.now, Generation: h.s.Generation, Force: true, Live: h.live()})
	case 2, 3:
		h.send(engine.Retry{Now: h.now, Generation: h.s.Generation})
	case 4:
		h.send(engine.Start{Now: h.now})
	}
}

// repeat delivers a command again that was carried out before: nothing happens.
func (h *history) repeat() {
	if len(h.sent) == 0 {
		return
	}
	again := rapid.SampledFrom(h.sent).Draw(h.r, "again")
	c := again.command
	switch old := c.(type) {
	case engine.Report:
		old.Now, old.Live = h.now, h.live()
		c = old
	case engine.Cancel:
		old.Now, old.Live = h.now, h.live()
		c = old
	case engine.Pause:
		old.Now, old.Live = h.now, h.live()
		c = old
	case engine.Resume:
		old.Now, old.Live = h.now, h.live()
		c = old
	case engine.Signal, engine.Vote, engine.HoldOver, engine.Start, engine.Retry, engine.QueueTimeout, engine.Deadline, engine.ExitDeadline,
		engine.Expand:
	}
	d, _ := h.do(c)
	require.True(h.r, d.Empty(), "%T decided twice", c)
}

func (h *history) pick(of []int32) (int32, bool) {
	if len(of) == 0 {
		return 0, false
	}
	return rapid.SampledFrom(of).Draw(h.r, "task"), true
}

// end brings the run to its end in one of the ways there are, from wherever it
// is: by letting it run, by cancel, or by force.
func (h *history) end() {
	switch rapid.IntRange(0, 2).Draw(h.r, "end") {
	case 0:
		if h.s.Run == engine.RunPending {
			h.must(engine.Start{Now: h.now})
		}
	case 1:
		_, _ = h.do(engine.Cancel{Now: h.now, Live: h.live()}) // refused if finalizing
	case 2:
		_, _ = h.do(engine.Cancel{Now: h.now, Force: true, Live: h.live()})
		require.True(h.r, h.s.Run.Terminal(), "force ends a run at once")
	}
	for !h.s.Run.Terminal() {
		h.runOn()
	}
}

// runOn does the next thing that a run which is left alone needs.
func (h *history) runOn() {
	if h.s.Run == engine.RunPaused {
		h.must(engine.Resume{Now: h.now, Live: h.live()})
		return
	}
	if tasks := sortedKeys(h.leases); len(tasks) > 0 {
		o := engine.OutcomeSucceeded
		if h.told[tasks[0]] {
			o = engine.OutcomeCanceled
		}
		h.must(h.report(tasks[0], o, 0))
		return
	}
	if tasks := sortedKeys(h.ready); len(tasks) > 0 {
		h.grant(tasks[0])
		return
	}
	if tasks := sortedKeys(h.s.Holds); len(tasks) > 0 {
		h.free(tasks[0])
		return
	}
	require.True(h.r, h.tick(), "the run is stuck: %+v", h.s)
}

// A late or foreign report changes nothing, whatever it says.
func TestStaleReportsAreRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		h := &history{world: newWorld(r, drawPlan(r, planConfig{main: 5, exit: 1})), r: r}
		h.send(engine.Start{Now: h.now})
		for range rapid.IntRange(0, 20).Draw(r, "steps") {
			h.step()
		}
		task := rapid.Int32Range(-1, int32(len(h.s.Tasks))).Draw(r, "task")
		attempt := rapid.Int32Range(0, 4).Draw(r, "attempt")
		if task >= 0 && int(task) < len(h.s.Tasks) && h.s.Tasks[task].Attempt == attempt {
			attempt++
		}
		_, err := h.do(engine.Report{
			Now: h.now, Lease: engine.Lease{Task: task, Attempt: attempt},
			Outcome: rapid.SampledFrom(drawnOutcomes).Draw(r, "outcome"),
		})
		var refusal *engine.Refusal
		require.ErrorAs(r, err, &refusal)
		require.Equal(r, engine.RefusedStaleFence, refusal.Reason)
	})
}
