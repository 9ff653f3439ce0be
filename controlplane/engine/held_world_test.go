package engine_test

import (
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

var drawnVoters = []string{"usr_a", "usr_b", "usr_c"}

// turn is something that is said to a run: pause, resume, signals and votes.
func (h *history) turn() {
	seen := h.s.Seq
	switch rapid.IntRange(0, 7).Draw(h.r, "turn") {
	case 0:
		h.send(engine.Pause{Now: h.now, Seen: seen, Live: h.live()})
	case 1:
		h.send(engine.Pause{Now: h.now, Suspend: true, Seen: seen, Live: h.live()})
	case 2, 3:
		h.send(engine.Resume{Now: h.now, Seen: seen, Live: h.live()})
	case 4:
		h.send(engine.Signal{
			Now: h.now, Name: rapid.SampledFrom(drawnSignals).Draw(h.r, "name"), Key: rapid.SampledFrom([]string{"1", "2", "3"}).Draw(h.r, "key"),
			Live: h.live(),
		})
	case 5: // without a key it counts each time, so it is not to be repeated
		_, _ = h.do(engine.Signal{Now: h.now, Name: rapid.SampledFrom(drawnSignals).Draw(h.r, "name"), Live: h.live()})
	case 6, 7:
		if task, ok := h.pick(sortedKeys(h.s.Holds)); ok {
			h.send(engine.Vote{
				Now: h.now, Task: task, Actor: rapid.SampledFrom(drawnVoters).Draw(h.r, "voter"),
				Reject: rapid.IntRange(0, 3).Draw(h.r, "reject") == 0, Requester: "usr_a", Generation: h.s.Generation,
				Live: h.live(),
			})
		}
	}
}

// free ends a hold as whoever it waits for would.
func (h *history) free(task int32) {
	p := h.g.Task(h.s, task)
	switch {
	case p.Signal != nil:
		h.must(engine.Signal{Now: h.now, Name: p.Signal.Name, Live: h.live()})
	case p.Approve != nil:
		for _, who := range []string{"usr_d", "usr_e"} {
			if _, held := h.s.Holds[task]; held {
				h.must(engine.Vote{Now: h.now, Task: task, Actor: who, Requester: "usr_a", Live: h.live()})
			}
		}
	default:
		require.True(h.r, h.tick())
	}
}

// checkHolds asks for what is always true of those who wait: they hold no lease
// and stand in no queue; what they wait for has not come; every signal was taken
// once at most, and is there for as long as nobody took it.
func (w *world) checkHolds() {
	held := 0
	for i := range w.s.Tasks {
		task := int32(i)
		h, in := w.s.Holds[task]
		require.Equal(w.t, w.s.Tasks[i].State == engine.TaskHeld, in)
		if !in {
			continue
		}
		held++
		require.NotContains(w.t, w.leases, task)
		require.NotContains(w.t, w.ready, task)
		_, timed := w.timers[timerKey{engine.TimerHold, task}]
		require.Equal(w.t, h.Until != 0, timed, "a hold and its timer")
		if sig := w.g.Task(w.s, task).Signal; sig != nil {
			for _, r := range w.s.Signals {
				require.False(w.t, r.Name == sig.Name && !r.Taken, "a task waits for a signal that is there")
			}
		}
	}
	require.Len(w.t, w.s.Holds, held)
	w.checkSignals()
}

func (w *world) checkSignals() {
	came, taken := map[int64]bool{}, map[int64]bool{}
	for i := range w.journal {
		switch e := &w.journal[i]; {
		case e.Kind == engine.KindSignalReceived:
			came[e.Seq] = true
		case e.Detail != nil && e.Detail.From != 0:
			require.True(w.t, came[e.Detail.From])
			require.False(w.t, taken[e.Detail.From], "a signal was taken twice")
			taken[e.Detail.From] = true
		}
	}
	left := 0
	for _, r := range w.s.Signals {
		require.Equal(w.t, taken[r.Seq], r.Taken)
		if !r.Taken {
			left++
		}
	}
	require.Equal(w.t, len(came)-len(taken), left, "a signal was lost")
}
