package choose_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/proto/id"
)

func drawAmount(t *rapid.T, most int) choose.Amount {
	draw := func(what string) int { return rapid.IntRange(0, most).Draw(t, what) }
	return choose.Amount{
		Slots: int32(draw("slots")), CPUMillis: int64(draw("cpu")),
		MemoryBytes: int64(draw("memory")), GPUs: int32(draw("gpus")),
	}
}

func drawPools(t *rapid.T) map[id.UUID]choose.Pool {
	out := map[id.UUID]choose.Pool{}
	for i := range rapid.IntRange(1, 3).Draw(t, "pools") {
		left := int64(rapid.IntRange(-1, 6).Draw(t, "left"))
		out[id.UUID{byte(i + 1)}] = choose.Pool{
			Paused:  rapid.IntRange(0, 4).Draw(t, "paused") == 0,
			Limited: rapid.Bool().Draw(t, "limited"), SlotsLeft: left, Slots: max(0, left) + int64(rapid.IntRange(0, 2).Draw(t, "used")),
			ReserveAfter: time.Duration(rapid.IntRange(0, 2).Draw(t, "reserve")),
		}
	}
	return out
}

func drawPool(t *rapid.T) id.UUID { return id.UUID{byte(rapid.IntRange(1, 3).Draw(t, "pool"))} }

func drawAgent(t *rapid.T) id.UUID {
	if n := rapid.IntRange(0, 4).Draw(t, "agent"); n > 0 {
		return agent(byte(n))
	}
	return id.Nil
}

func drawScene(t *rapid.T) choose.Scene {
	s := choose.Scene{
		Now: now, Pools: drawPools(t), Lanes: map[choose.LaneKey]choose.Lane{}, Clocks: map[choose.LaneKey]float64{},
	}
	for range rapid.IntRange(0, 6).Draw(t, "takers") {
		classes := rapid.IntRange(0, 7).Draw(t, "classes") // a set of bits
		s.Takers = append(s.Takers, choose.Taker{
			Agent: agent(byte(rapid.IntRange(1, 4).Draw(t, "agent"))), Pool: drawPool(t), Free: drawAmount(t, 4),
			Decisions: rapid.IntRange(0, 2).Draw(t, "decisions"),
			Satisfies: func(class int64) bool { return classes&(1<<class) != 0 },
		})
	}
	for range rapid.IntRange(0, 3).Draw(t, "limits") {
		left := int64(rapid.IntRange(-1, 4).Draw(t, "units"))
		s.Limits = append(s.Limits, choose.Limit{
			Capped: rapid.Bool().Draw(t, "capped"), Left: left, Max: left + int64(rapid.IntRange(0, 2).Draw(t, "held")),
			Rated: rapid.Bool().Draw(t, "rated"), Tokens: float64(rapid.IntRange(-1, 4).Draw(t, "tokens")), Burst: 2,
		})
	}
	for i := range rapid.IntRange(0, 20).Draw(t, "candidates") {
		s.Candidates = append(s.Candidates, drawCandidate(t, s, int32(i)))
	}
	for _, c := range s.Candidates {
		if rapid.Bool().Draw(t, "stands") {
			s.Lanes[choose.LaneKey{Pool: c.Pool, Priority: c.Priority, Lane: c.Lane}] = choose.Lane{
				VTime: float64(rapid.IntRange(0, 3).Draw(t, "vtime")), Weight: float64(rapid.IntRange(0, 2).Draw(t, "weight")),
			}
		}
		s.Clocks[choose.LaneKey{Pool: c.Pool, Priority: c.Priority}] = float64(rapid.IntRange(0, 2).Draw(t, "clock"))
	}
	return s
}

func drawCandidate(t *rapid.T, s choose.Scene, task int32) choose.Candidate {
	c := choose.Candidate{
		Pool: drawPool(t), Class: int64(rapid.IntRange(0, 2).Draw(t, "class")),
		Priority: int32(rapid.IntRange(0, 2).Draw(t, "priority")),
		Lane:     id.UUID{byte(rapid.IntRange(0, 2).Draw(t, "lane"))}, Seconds: float64(rapid.IntRange(0, 3).Draw(t, "seconds")),
		Since: now.Add(-time.Duration(rapid.IntRange(0, 2).Draw(t, "since"))),
		Task:  task, Need: drawAmount(t, 2), Possible: rapid.Bool().Draw(t, "possible"),
		Prefer: drawAgent(t), Avoid: drawAgent(t),
		AvoidUntil: now.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "until"))),
	}
	if rapid.IntRange(0, 3).Draw(t, "ganged") == 0 {
		c.Need.Slots = max(1, c.Need.Slots)
		c.Gang = choose.Gang{
			Size: int32(rapid.IntRange(2, 4).Draw(t, "size")), Min: int32(rapid.IntRange(0, 4).Draw(t, "min")),
			Apart: rapid.Bool().Draw(t, "apart"),
		}
	}
	for l := range s.Limits {
		if rapid.Bool().Draw(t, "uses") {
			c.Uses = append(c.Uses, choose.Use{Limit: l, Units: int32(rapid.IntRange(1, 3).Draw(t, "units"))})
		}
	}
	return c
}

// got is what each candidate was given, the members of a gang by rank.
func got(t require.TestingT, r choose.Result) map[int][]int {
	out := map[int][]int{}
	for _, a := range r.Assignments {
		require.EqualValues(t, len(out[a.Candidate]), a.Rank)
		out[a.Candidate] = append(out[a.Candidate], a.Taker)
	}
	return out
}

// Whatever is chosen is what the slow model chooses, which goes over everything
// at each turn.
func TestEveryTurnIsRight(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		m := newModel(s)
		for m.turn() {
		}
		r := choose.Choose(s)
		require.Equal(t, m.given, got(t, r))
		for i, why := range r.Why {
			require.Equal(t, why == choose.Taken, len(m.given[i]) > 0, "candidate %d", i)
		}
		require.Equal(t, m.clocks, r.Clocks)
		require.Equal(t, m.starts, r.Lanes)
	})
}

// The candidates' order in memory does not matter.
func TestChoiceIsReproducible(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		want := leased(s.Candidates, s.Takers, choose.Choose(s).Assignments)
		s.Candidates = rapid.Permutation(s.Candidates).Draw(t, "shuffled")
		require.Equal(t, want, leased(s.Candidates, s.Takers, choose.Choose(s).Assignments))
	})
}

// BenchmarkChoose is 5,000 tasks of eight classes that compete for 1,000 agents
// of one slot; most of both go away empty.
func BenchmarkChoose(b *testing.B) {
	s := choose.Scene{Now: now, Pools: open}
	for i := range 1000 {
		tk := taker(0, 1)
		tk.Agent = id.UUID{0xa, byte(i), byte(i >> 8)}
		tk.Satisfies = func(class int64) bool { return class == int64(i%16) }
		s.Takers = append(s.Takers, tk)
	}
	for i := range 5000 {
		c := candidate(int32(i), int32(i%3), time.Duration(i))
		c.Class, c.Prefer = int64(i%8), id.UUID{0xb, byte(i)}
		s.Candidates = append(s.Candidates, c)
	}
	b.ReportAllocs()
	for b.Loop() {
		require.Len(b, choose.Choose(s).Assignments, 504)
	}
}
