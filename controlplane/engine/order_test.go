package engine_test

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/controlplane/engine"
)

// fate says how every attempt of every task ends, whenever and in whatever
// order that happens.
type fate uint64

type destiny struct {
	started  bool
	lasts    time.Duration
	outcome  engine.Outcome
	exitCode int32
}

func (f fate) of(task, attempt int32) destiny {
	b := binary.BigEndian.AppendUint64(nil, uint64(f))
	b = binary.BigEndian.AppendUint32(b, uint32(task))
	b = binary.BigEndian.AppendUint32(b, uint32(attempt))
	sum := sha256.Sum256(b)
	return destiny{
		started:  sum[0]%8 > 0,
		lasts:    time.Duration(sum[1]) * time.Millisecond,
		outcome:  drawnOutcomes[int(sum[2])%len(drawnOutcomes)],
		exitCode: []int32{1, 2, 75, 77}[sum[3]%4],
	}
}

// liveOn carries a run to its end under a fate. next picks what happens among the
// tasks that are leased (given first) and ready; disturb is called between any
// two commands.
func (w *world) liveOn(f fate, next func(leased, ready []int32) int, disturb func()) {
	w.must(engine.Start{Now: w.now})
	for !w.s.Run.Terminal() {
		disturb()
		leased, ready := sortedKeys(w.leases), sortedKeys(w.ready)
		if len(leased)+len(ready) == 0 {
			require.True(w.t, w.tick())
			continue
		}
		i := next(leased, ready)
		if i >= len(leased) {
			w.grant(ready[i-len(leased)])
			continue
		}
		d := f.of(leased[i], w.leases[leased[i]].Attempt)
		if d.started {
			w.start(leased[i])
		}
		w.now = w.now.Add(d.lasts)
		w.must(w.report(leased[i], d.outcome, d.exitCode))
	}
}

// settled is what a run's end may depend on: not on order, times or numbers of
// entries.
type settled struct {
	run, outcome engine.RunState
	reason       string
	tasks        []engine.Task
	failing      int32
	failedExit   int32
}

func (w *world) settled() settled {
	out := settled{
		run: w.s.Run, outcome: w.s.Outcome, reason: w.s.Reason,
		failing: w.s.FailingMain, failedExit: w.s.FailedExit,
	}
	for _, tk := range w.s.Tasks {
		tk.EndSeq = 0
		out.tasks = append(out.tasks, tk)
	}
	return out
}

// usage sums what the journal bills, without the hours.
func (w *world) usage() []usage.Quantity {
	var attempts []usage.Attempt
	first := true
	for i := range w.journal {
		e := &w.journal[i]
		if e.Kind != engine.KindAttemptEnded {
			continue
		}
		starts := first && !e.Started.IsZero()
		first = first && !starts
		attempts = append(attempts, usage.Attempt{
			Started: e.Started, Finished: e.Finished, FirstOfRun: starts,
			Billable: usage.Billable(e.Outcome.String(), !e.Started.IsZero()),
			GPUs:     int32(w.g.Plan.Tasks[e.Task].Resources.GPUs),
		})
	}
	sums := map[usage.Meter]int64{}
	for _, q := range usage.Sum(attempts) {
		sums[q.Meter] += q.Value
	}
	var out []usage.Quantity
	for _, m := range usage.Meters() {
		out = append(out, usage.Quantity{Key: usage.Key{Meter: m}, Value: sums[m]})
	}
	return out
}

// If every attempt ends as it is fated to, then the order of grants and ends,
// commands that arrive twice and crashes between any two of them change neither
// the final state nor the bill.
func TestOrderChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		p := drawPlan(r, planConfig{main: 9, exit: 2})
		f := fate(rapid.Uint64().Draw(r, "fate"))

		plain := newWorld(r, p)
		plain.liveOn(f, func(_, _ []int32) int { return 0 }, func() {})

		h := &history{world: newWorld(r, p), r: r}
		h.liveOn(f, func(leased, ready []int32) int {
			return rapid.IntRange(0, len(leased)+len(ready)-1).Draw(r, "next")
		}, func() {
			switch rapid.IntRange(0, 5).Draw(r, "disturb") {
			case 0:
				h.crash()
			case 1:
				h.repeatReports()
			}
		})
		require.Equal(r, plain.settled(), h.settled())
		require.Equal(r, plain.usage(), h.usage())
		require.LessOrEqual(r, h.firsts, 1)
		require.EqualValues(r, h.firsts, h.usage()[0].Value)
	})
}

// repeatReports delivers every report again that the journal tells of.
func (h *history) repeatReports() {
	for i := range h.journal {
		e := &h.journal[i]
		if e.Kind != engine.KindAttemptEnded {
			continue
		}
		_, err := h.do(engine.Report{
			Now: h.now, Lease: engine.Lease{Task: e.Task, Attempt: e.Attempt, ID: e.Lease}, Outcome: e.Outcome,
		})
		require.Error(h.r, err)
	}
	d, err := h.do(engine.Start{Now: h.now})
	require.NoError(h.r, err)
	require.True(h.r, d.Empty())
}

// The same with a fold of every prefix: the state at any seq is a pure function
// of the journal up to it.
func TestEveryPrefixFoldsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		h := &history{world: newWorld(r, drawPlan(r, planConfig{main: 6, exit: 2, controls: true})), r: r}
		seen := map[int64]*engine.State{}
		h.send(engine.Start{Now: h.now})
		for range rapid.IntRange(0, 40).Draw(r, "steps") {
			h.step()
			seen[h.s.Seq] = clone(h.s)
		}
		again := engine.NewState(runID)
		for _, e := range h.journal {
			require.NoError(r, engine.Fold(h.g, again, e))
			if live, ok := seen[again.Seq]; ok {
				require.Equal(r, live, again)
			}
		}
	})
}

// Every outcome of the engine is one that billing knows: what was the step's
// doing is billed once it had started, what was not is not.
func TestOutcomesAreBilled(t *testing.T) {
	t.Parallel()
	free := map[engine.Outcome]bool{
		engine.OutcomeNone: true, engine.OutcomeLost: true, engine.OutcomeRejected: true, engine.OutcomeRefused: true,
	}
	for _, o := range engine.Outcomes() {
		require.Equal(t, !free[o], usage.Billable(o.String(), true), o)
	}
}
