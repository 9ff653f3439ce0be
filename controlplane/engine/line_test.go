package engine_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// street is a line with its runs around it, in memory: which run, as its ends
// are told one by one, some late.
type street struct {
	t      *rapid.T
	line   engine.Line
	policy plan.ConcurrencyPolicy
	limit  int

	come    []id.UUID // in order
	began   []id.UUID // in order
	running map[id.UUID]bool
	waits   map[id.UUID]bool
	dropped map[id.UUID]bool
	stopped map[id.UUID]bool // canceled by the line
	left    []id.UUID        // ended, and the line does not know yet
	failed  map[id.UUID]bool
}

func run(n int) id.UUID { return id.UUID{byte(n >> 8), byte(n), 1} }

func (s *street) arrive() {
	r := run(len(s.come) + 1)
	s.come = append(s.come, r)
	verdict, gone := s.line.Arrive(r, s.limit, s.policy)
	switch verdict {
	case engine.ArrivalHeld:
		s.begin(r)
	case engine.ArrivalWaits:
		s.waits[r] = true
	case engine.ArrivalDropped:
		s.dropped[r] = true
	}
	for _, g := range gone {
		switch {
		case g.Drop:
			require.True(s.t, s.waits[g.Run])
			s.dropped[g.Run] = true
			delete(s.waits, g.Run)
		case s.waits[g.Run]:
			s.stopped[g.Run] = true
			delete(s.waits, g.Run)
		default:
			s.stopped[g.Run] = true
		}
	}
}

func (s *street) begin(r id.UUID) {
	require.False(s.t, s.running[r])
	require.True(s.t, s.line.Blocker() == id.Nil)
	s.running[r] = true
	s.began = append(s.began, r)
}

func (s *street) end(r id.UUID, failed bool) {
	delete(s.running, r)
	s.left = append(s.left, r)
	s.failed[r] = failed
}

// release is what follows from an end, perhaps much later.
func (s *street) release() {
	r := s.left[0]
	s.left = s.left[1:]
	s.line.Leave(r, s.policy == plan.PolicyStrict && s.failed[r], false)
	s.fill()
}

func (s *street) fill() {
	seated, more := s.line.Fill()
	require.False(s.t, more)
	for _, r := range seated {
		require.True(s.t, s.waits[r], "a run got a place that did not wait")
		delete(s.waits, r)
		s.begin(r)
	}
}

func (s *street) check() {
	require.LessOrEqual(s.t, len(s.running), s.limit, "more run than may")
	require.LessOrEqual(s.t, len(s.line.Held), s.limit)
	slots := map[int32]bool{}
	for _, h := range s.line.Held {
		require.False(s.t, slots[h.Slot], "two hold one place")
		require.True(s.t, h.Slot >= 1 && int(h.Slot) <= s.limit)
		slots[h.Slot] = true
	}
	require.True(s.t, slices.IsSortedFunc(s.line.Waiting, func(x, y engine.Spot) int { return int(x.Ticket - y.Ticket) }))
	require.Len(s.t, s.line.Waiting, len(s.waits))
	// Nobody waits without a reason: a place is taken, or a failed run, or the
	// line has not heard of an end.
	if len(s.left) == 0 && s.line.Blocker() == id.Nil {
		require.True(s.t, len(s.waits) == 0 || len(s.running) == s.limit, "a place is free and somebody waits")
	}
	switch s.policy {
	case plan.PolicyQueueLatest, plan.PolicyQueueFirst:
		require.LessOrEqual(s.t, len(s.waits), 1)
	case plan.PolicyDropNew:
		require.Empty(s.t, s.waits)
	case plan.PolicyCancel:
		require.LessOrEqual(s.t, len(s.waits), s.limit)
	case plan.PolicyQueue, plan.PolicyStrict:
		require.Empty(s.t, s.dropped)
		require.Empty(s.t, s.stopped)
	}
}

// Under every policy and any interleaving of arrivals, ends and what follows
// from them: never more than the limit, first come, first served, and nobody
// waits for nothing.
func TestLines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &street{
			t: t, policy: rapid.SampledFrom(plan.ConcurrencyPolicies()).Draw(t, "policy"), limit: rapid.IntRange(1, 4).Draw(t, "limit"),
			line: engine.Line{Next: 1}, running: map[id.UUID]bool{}, waits: map[id.UUID]bool{}, dropped: map[id.UUID]bool{},
			stopped: map[id.UUID]bool{}, failed: map[id.UUID]bool{},
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1:
				s.arrive()
			case 2, 3:
				if running := s.sorted(); len(running) > 0 {
					s.end(rapid.SampledFrom(running).Draw(t, "who"), rapid.IntRange(0, 3).Draw(t, "fails") == 0)
				}
			case 4:
				if len(s.left) > 0 {
					s.release()
				}
			case 5:
				s.mend(rapid.Bool().Draw(t, "retry"))
			}
			s.check()
		}
		s.finish()
	})
}

func (s *street) sorted() []id.UUID {
	var out []id.UUID
	for _, r := range s.come {
		if s.running[r] {
			out = append(out, r)
		}
	}
	return out
}

// mend clears what holds a strict line up: the failed run is retried, or
// unblocked.
func (s *street) mend(retry bool) {
	b := s.line.Blocker()
	switch {
	case b == id.Nil:
	case retry:
		require.True(s.t, s.line.Rejoin(b, s.limit))
		s.running[b] = true
		s.fill()
	default:
		require.True(s.t, s.line.Unblock())
		s.fill()
	}
}

// finish lets all go on to their ends: every run that came has had its turn, or
// was dropped or canceled, and those that waited began in the order in which
// they came.
func (s *street) finish() {
	for len(s.running)+len(s.left) > 0 || s.line.Blocker() != id.Nil {
		for _, r := range s.sorted() {
			s.end(r, false)
		}
		for len(s.left) > 0 {
			s.release()
		}
		s.mend(false)
	}
	s.check()
	require.Empty(s.t, s.line.Held)
	require.Empty(s.t, s.waits)
	require.True(s.t, slices.IsSortedFunc(s.began, func(x, y id.UUID) int { return slices.Compare(x[:], y[:]) }))
	for _, r := range s.come {
		require.True(s.t, slices.Contains(s.began, r) || s.dropped[r] || s.stopped[r])
	}
}

// C-42: five starts at once, limit one.
func TestFiveArriveAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy                     plan.ConcurrencyPolicy
		waits, dropped, superseded int
	}{
		{plan.PolicyQueue, 4, 0, 0},
		{plan.PolicyStrict, 4, 0, 0},
		{plan.PolicyQueueLatest, 1, 0, 3},
		{plan.PolicyQueueFirst, 1, 3, 0},
		{plan.PolicyDropNew, 0, 4, 0},
		{plan.PolicyCancel, 1, 0, 4},
	} {
		l := engine.Line{Next: 1}
		dropped, superseded := 0, 0
		for i := range 5 {
			verdict, gone := l.Arrive(run(i+1), 1, c.policy)
			superseded += len(gone)
			if verdict == engine.ArrivalDropped {
				dropped++
			}
		}
		require.Equal(t, []int{c.waits, c.dropped, c.superseded}, []int{l.Length(), dropped, superseded}, c.policy)
	}
}

// A limit that a newer version has lowered or raised holds for those that come.
// Those who wait behind what was read of a line count too: they are the newest.
func TestARunIsSupersededInALongLine(t *testing.T) {
	t.Parallel()
	l := engine.Line{Next: 9, Behind: 2}
	for i := range 3 {
		l.Held = append(l.Held, engine.Spot{Run: run(i), Ticket: int64(i + 1), Slot: int32(i + 1), Slots: 3, Superseded: true})
	}
	l.Waiting = []engine.Spot{{Run: run(3), Ticket: 4, Slots: 3}}
	verdict, gone := l.Arrive(run(9), 3, plan.PolicyCancel)
	require.Equal(t, engine.ArrivalWaits, verdict)
	require.Equal(t, []engine.Superseded{{Run: run(3)}}, gone)
	require.Equal(t, 3, l.Length())
}

func TestTheLimitOfALineMayChange(t *testing.T) {
	t.Parallel()
	l := engine.Line{Next: 1}
	for i := range 3 {
		verdict, _ := l.Arrive(run(i+1), 3, plan.PolicyQueue)
		require.Equal(t, engine.ArrivalHeld, verdict)
	}
	verdict, _ := l.Arrive(run(4), 1, plan.PolicyQueue)
	require.Equal(t, engine.ArrivalWaits, verdict)
	l.Leave(run(1), false, false)
	l.Leave(run(2), false, false)
	seated, _ := l.Fill()
	require.Empty(t, seated, "one still runs")
	l.Leave(run(3), false, false)
	seated, _ = l.Fill()
	require.Equal(t, []id.UUID{run(4)}, seated)
	require.False(t, l.Rejoin(run(1), 1))
	require.True(t, l.Rejoin(run(1), 2))
}
