package choose_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/proto/id"
)

// keeper keeps what the lanes of one pool were charged from one call to the
// next, as the group commit does.
type keeper struct {
	lanes  map[choose.LaneKey]choose.Lane
	clocks map[choose.LaneKey]float64
}

func (k *keeper) keep(s choose.Scene, r choose.Result) {
	for key, start := range r.Lanes {
		l := k.lanes[key]
		l.VTime = max(l.VTime, start)
		k.lanes[key] = l
	}
	for _, a := range r.Assignments {
		c := &s.Candidates[a.Candidate]
		key := choose.LaneKey{Pool: c.Pool, Priority: c.Priority, Lane: c.Lane}
		l := k.lanes[key]
		l.VTime += a.Charge
		k.lanes[key] = l
	}
	for key, v := range r.Clocks {
		k.clocks[key] = max(k.clocks[key], v)
	}
}

// Two lanes that both have work all the time are never further apart, by their
// weights, than one task of each; and who slept does not make up for it.
func TestNoLaneFallsBehindItsShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 4).Draw(t, "lanes")
		longest := make([]float64, n)
		weight := func(lane int) float64 { return float64(1 + lane) }
		k := &keeper{map[choose.LaneKey]choose.Lane{}, map[choose.LaneKey]float64{}}
		key := func(lane int) choose.LaneKey { return choose.LaneKey{Pool: pool, Lane: id.UUID{1, byte(lane)}} }
		for lane := range n {
			k.lanes[key(lane)] = choose.Lane{Weight: weight(lane)}
		}
		got := make([]float64, n)
		late := rapid.IntRange(0, 20).Draw(t, "late") // the last lane wakes up here
		var base []float64
		for step := range 40 {
			awake := n
			if step < late {
				awake--
			}
			if step == late {
				base = append(base, got...)
			}
			s := choose.Scene{Now: now, Pools: open, Lanes: k.lanes, Clocks: k.clocks, Takers: []choose.Taker{
				taker(1, int32(rapid.IntRange(1, 5).Draw(t, "slots"))),
			}}
			for lane := range awake {
				for range 6 {
					c := candidate(int32(len(s.Candidates)), 0, 0)
					c.Lane, c.Seconds = id.UUID{1, byte(lane)}, float64(rapid.IntRange(1, 9).Draw(t, "seconds"))
					longest[lane] = max(longest[lane], c.Seconds/weight(lane))
					s.Candidates = append(s.Candidates, c)
				}
			}
			r := choose.Choose(s)
			k.keep(s, r)
			for _, a := range r.Assignments {
				c := &s.Candidates[a.Candidate]
				got[c.Lane[1]] += c.Seconds / weight(int(c.Lane[1]))
			}
			for x := range awake {
				for y := range awake {
					dx, dy := got[x], got[y]
					if base != nil {
						dx, dy = dx-base[x], dy-base[y]
					}
					require.LessOrEqual(t, dx-dy, longest[x]+longest[y]+1e-6)
				}
			}
		}
	})
}

// Ten tasks behind nine hundred and fifty of another team get every second
// lease.
func TestAFewBehindMany(t *testing.T) {
	t.Parallel()
	k := &keeper{map[choose.LaneKey]choose.Lane{}, map[choose.LaneKey]float64{}}
	left := map[byte]int{1: 950, 2: 10}
	for turn := range 20 {
		s := choose.Scene{Now: now, Pools: open, Lanes: k.lanes, Clocks: k.clocks, Takers: []choose.Taker{taker(1, 1)}}
		for team := byte(1); team <= 2; team++ {
			for i := range min(8, left[team]) {
				c := candidate(int32(team)*1000+int32(i), 0, time.Duration(9-team)*time.Minute)
				c.Lane, c.Seconds = id.UUID{team}, 1
				s.Candidates = append(s.Candidates, c)
			}
		}
		r := choose.Choose(s)
		require.Len(t, r.Assignments, 1)
		k.keep(s, r)
		team := s.Candidates[r.Assignments[0].Candidate].Lane[0]
		require.Equal(t, byte(1+turn%2), team)
		left[team]--
	}
	require.Zero(t, left[2])
}

// A stream of small tasks never lets a big one in, until room is kept for it:
// what could run it gets nothing more, whoever could not goes on.
func TestRoomIsKeptForWhatHasWaitedLong(t *testing.T) {
	t.Parallel()
	pools := map[id.UUID]choose.Pool{pool: {ReserveAfter: time.Minute}}
	big := candidate(1, 0, time.Minute)
	big.Need, big.Class, big.Possible = one(2), 7, true
	small, urgent, decision := candidate(2, 0, time.Second), candidate(3, 1, 0), candidate(4, 0, 0)
	decision.Need = choose.Amount{}
	could, couldNot := taker(1, 1), taker(2, 1)
	couldNot.Satisfies = func(class int64) bool { return class != 7 }
	cs := []choose.Candidate{big, small, decision}
	require.Equal(t, map[int32]id.UUID{4: agent(1)}, leased(cs, []choose.Taker{could}, chosen(pools, cs, []choose.Taker{could})))
	both := []choose.Taker{could, couldNot}
	require.Equal(t, map[int32]id.UUID{2: agent(2), 4: agent(1)}, leased(cs, both, chosen(pools, cs, both)))
	cs = append(cs, urgent)
	require.Equal(t, agent(1), leased(cs, both, chosen(pools, cs, both))[3], "a higher priority goes before")
	cs = cs[:2]
	cs[0].Since = age(time.Minute - 1)
	require.Len(t, chosen(pools, cs, []choose.Taker{could}), 1, "not yet")
	cs[0].Since, cs[0].Possible = age(time.Hour), false
	require.Len(t, chosen(pools, cs, []choose.Taker{could}), 1, "what nobody could ever run holds up nobody")
	free := taker(1, 2)
	cs[0].Possible = true
	require.Equal(t, map[int32]id.UUID{1: agent(1)}, leased(cs, []choose.Taker{free}, chosen(pools, cs, []choose.Taker{free})))
}

func TestAPoolsSlotsAndALimitsUnitsAreKept(t *testing.T) {
	t.Parallel()
	pools := map[id.UUID]choose.Pool{pool: {ReserveAfter: time.Minute, Limited: true, Slots: 2, SlotsLeft: 1}}
	big, small := candidate(1, 0, time.Hour), candidate(2, 0, 0)
	big.Need, big.Possible = one(2), true
	cs := []choose.Candidate{big, small}
	require.Empty(t, chosen(pools, cs, []choose.Taker{taker(1, 9)}))
	pools[pool] = choose.Pool{ReserveAfter: time.Minute, Limited: true, Slots: 1, SlotsLeft: 1}
	require.Len(t, chosen(pools, cs, []choose.Taker{taker(1, 9)}), 1, "the pool never has room for it")

	cs[0].Need, cs[0].Uses, cs[1].Uses = one(1), []choose.Use{{Units: 2}}, []choose.Use{{Units: 1}}
	s := choose.Scene{
		Now: now, Pools: map[id.UUID]choose.Pool{pool: {ReserveAfter: time.Minute}}, Candidates: cs, Takers: []choose.Taker{taker(1, 9)},
		Limits: []choose.Limit{{Capped: true, Max: 2, Left: 1}},
	}
	require.Equal(t, []choose.Why{choose.WhyLimit, choose.WhyLimit}, choose.Choose(s).Why)
	s.Limits[0] = choose.Limit{Capped: true, Max: 1, Left: 1}
	require.Equal(t, []choose.Why{choose.WhyLimit, choose.Taken}, choose.Choose(s).Why, "it never has so many")
	s.Limits[0] = choose.Limit{Rated: true, Tokens: 1, Burst: 1}
	require.Equal(t, []choose.Why{choose.Taken, choose.WhyLimit}, choose.Choose(s).Why, "a full bucket gives on credit")
}

// Two gangs of three on four agents of one slot: one after the other, and never
// a part of one.
func TestGangsComeWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	gang := func(task int32) choose.Candidate {
		c := candidate(task, 0, time.Second)
		c.Gang = choose.Gang{Size: 3, Apart: true}
		return c
	}
	cs := []choose.Candidate{gang(1), gang(2)}
	ts := []choose.Taker{taker(1, 1), taker(2, 1), taker(3, 1), taker(4, 1)}
	r := choose.Choose(choose.Scene{Now: now, Pools: open, Candidates: cs, Takers: ts})
	require.Len(t, r.Assignments, 3)
	require.Equal(t, []choose.Why{choose.Taken, choose.WhyNobody}, r.Why)
	ts = []choose.Taker{taker(1, 9), taker(2, 1)}
	require.Empty(t, chosen(open, cs[:1], ts), "not two on one agent")
	cs[0].Gang.Apart = false
	require.Len(t, chosen(open, cs[:1], ts), 3)
	cs[0].Gang = choose.Gang{Size: 3, Min: 2, Apart: true}
	require.Empty(t, chosen(open, cs[:1], ts), "it waits for all")
	pools := map[id.UUID]choose.Pool{pool: {ReserveAfter: time.Second}}
	cs[0].Possible = true
	require.Len(t, chosen(pools, cs[:1], ts), 2, "it has waited long enough")
}
