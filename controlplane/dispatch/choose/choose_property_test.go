package choose_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/proto/id"
)

// scene is a random call of Choose.
type scene struct {
	pools      map[id.UUID]choose.Pool
	candidates []choose.Candidate
	takers     []choose.Taker
}

func drawAmount(t *rapid.T, most int) choose.Amount {
	draw := func(what string) int { return rapid.IntRange(0, most).Draw(t, what) }
	return choose.Amount{
		Slots: int32(draw("slots")), CPUMillis: int64(draw("cpu")),
		MemoryBytes: int64(draw("memory")), GPUs: int32(draw("gpus")),
	}
}

func drawScene(t *rapid.T) scene {
	s := scene{pools: map[id.UUID]choose.Pool{}}
	for i := range rapid.IntRange(1, 3).Draw(t, "pools") {
		s.pools[id.UUID{byte(i + 1)}] = choose.Pool{
			Paused:    rapid.IntRange(0, 4).Draw(t, "paused") == 0,
			Limited:   rapid.Bool().Draw(t, "limited"),
			SlotsLeft: int64(rapid.IntRange(-1, 6).Draw(t, "left")),
		}
	}
	drawPool := func() id.UUID { return id.UUID{byte(rapid.IntRange(1, 3).Draw(t, "pool"))} }
	drawAgent := func() id.UUID {
		if n := rapid.IntRange(0, 4).Draw(t, "agent"); n > 0 {
			return agent(byte(n))
		}
		return id.Nil
	}
	for range rapid.IntRange(0, 6).Draw(t, "takers") {
		classes := rapid.IntRange(0, 7).Draw(t, "classes") // a set of bits
		s.takers = append(s.takers, choose.Taker{
			Agent: agent(byte(rapid.IntRange(1, 4).Draw(t, "agent"))), Pool: drawPool(), Free: drawAmount(t, 4),
			Satisfies: func(class int64) bool { return classes&(1<<class) != 0 },
		})
	}
	for i := range rapid.IntRange(0, 20).Draw(t, "candidates") {
		s.candidates = append(s.candidates, choose.Candidate{
			Pool: drawPool(), Class: int64(rapid.IntRange(0, 2).Draw(t, "class")),
			Priority: int32(rapid.IntRange(0, 2).Draw(t, "priority")),
			VTime:    float64(rapid.IntRange(0, 1).Draw(t, "vtime")),
			Since:    now.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "since"))),
			Task:     int32(i), Need: drawAmount(t, 2),
			Prefer: drawAgent(), Avoid: drawAgent(),
			AvoidUntil: now.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "until"))),
		})
	}
	return s
}

// could lists the takers that have room for a candidate, given what is left.
func (s scene) could(c *choose.Candidate, free []choose.Amount, left map[id.UUID]int64) []int {
	p, known := s.pools[c.Pool]
	full := p.Limited && c.Need.Slots > 0 && left[c.Pool] < int64(c.Need.Slots)
	if !known || p.Paused || full {
		return nil
	}
	var out []int
	for i := range s.takers {
		f, n := free[i], c.Need
		fits := n.Slots <= f.Slots && n.CPUMillis <= f.CPUMillis && n.MemoryBytes <= f.MemoryBytes && n.GPUs <= f.GPUs
		banned := s.takers[i].Agent == c.Avoid && now.Before(c.AvoidUntil)
		if fits && !banned && s.takers[i].Pool == c.Pool && s.takers[i].Free.Slots > 0 && s.takers[i].Satisfies(c.Class) {
			out = append(out, i)
		}
	}
	return out
}

// Replayed in the order of priority, lane and age, every candidate had the best
// taker that could run it at its turn, and none only if nobody could. So no
// capacity and no limit is exceeded, nothing of a paused pool is given, and
// nothing goes before something that would have fitted.
func TestEveryTurnIsRight(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		given := map[int]int{}
		for _, a := range choose.Choose(now, s.pools, s.candidates, s.takers) {
			_, twice := given[a.Candidate]
			require.False(t, twice)
			given[a.Candidate] = a.Taker
		}
		free, left := make([]choose.Amount, len(s.takers)), map[id.UUID]int64{}
		for i := range s.takers {
			free[i] = s.takers[i].Free
		}
		for k, p := range s.pools {
			left[k] = p.SlotsLeft
		}
		for _, i := range s.order() {
			c := &s.candidates[i]
			could := s.could(c, free, left)
			got, ok := given[i]
			require.Equal(t, len(could) > 0, ok)
			if !ok {
				continue
			}
			require.Equal(t, s.best(c, could), got)
			free[got].Slots -= c.Need.Slots
			free[got].CPUMillis -= c.Need.CPUMillis
			free[got].MemoryBytes -= c.Need.MemoryBytes
			free[got].GPUs -= c.Need.GPUs
			left[c.Pool] -= int64(c.Need.Slots)
		}
	})
}

func (s scene) order() []int {
	order := make([]int, len(s.candidates))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		x, y := &s.candidates[i], &s.candidates[j]
		return cmp.Or(
			cmp.Compare(y.Priority, x.Priority), cmp.Compare(x.VTime, y.VTime),
			x.Since.Compare(y.Since), cmp.Compare(x.Task, y.Task),
		)
	})
	return order
}

// best is the preferred agent, else the first that is not avoided, else the
// first.
func (s scene) best(c *choose.Candidate, could []int) int {
	for _, t := range could {
		if s.takers[t].Agent == c.Prefer && c.Prefer != c.Avoid {
			return t
		}
	}
	for _, t := range could {
		if s.takers[t].Agent != c.Avoid {
			return t
		}
	}
	return could[0]
}

// The candidates' order in memory does not matter.
func TestChoiceIsReproducible(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		want := leased(s.candidates, s.takers, choose.Choose(now, s.pools, s.candidates, s.takers))
		shuffled := rapid.Permutation(s.candidates).Draw(t, "shuffled")
		require.Equal(t, want, leased(shuffled, s.takers, choose.Choose(now, s.pools, shuffled, s.takers)))
	})
}

// BenchmarkChoose is 5,000 tasks of eight classes that compete for 1,000 agents
// of one slot; most of both go away empty.
func BenchmarkChoose(b *testing.B) {
	var s scene
	for i := range 1000 {
		tk := taker(0, 1)
		tk.Agent = id.UUID{0xa, byte(i), byte(i >> 8)}
		tk.Satisfies = func(class int64) bool { return class == int64(i%16) }
		s.takers = append(s.takers, tk)
	}
	for i := range 5000 {
		c := candidate(int32(i), int32(i%3), time.Duration(i))
		c.Class, c.Prefer = int64(i%8), id.UUID{0xb, byte(i)}
		s.candidates = append(s.candidates, c)
	}
	b.ReportAllocs()
	for b.Loop() {
		require.Len(b, choose.Choose(now, open, s.candidates, s.takers), 504)
	}
}
