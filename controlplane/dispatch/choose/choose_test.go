package choose_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/proto/id"
)

var (
	now  = time.Date(2026, 11, 3, 9, 30, 0, 0, time.UTC)
	pool = id.UUID{1}
	open = map[id.UUID]choose.Pool{pool: {}}
)

func one(slots int32) choose.Amount { return choose.Amount{Slots: slots} }

func agent(n byte) id.UUID { return id.UUID{0xa, n} }

func taker(n byte, slots int32) choose.Taker {
	return choose.Taker{Agent: agent(n), Pool: pool, Free: one(slots), Decisions: 1, Satisfies: func(int64) bool { return true }}
}

func candidate(task, priority int32, age time.Duration) choose.Candidate {
	return choose.Candidate{Pool: pool, Priority: priority, Since: now.Add(-age), Task: task, Need: one(1)}
}

func chosen(pools map[id.UUID]choose.Pool, cs []choose.Candidate, ts []choose.Taker) []choose.Assignment {
	return choose.Choose(choose.Scene{Now: now, Pools: pools, Candidates: cs, Takers: ts}).Assignments
}

// leased says which task went to which agent.
func leased(cs []choose.Candidate, ts []choose.Taker, as []choose.Assignment) map[int32]id.UUID {
	out := map[int32]id.UUID{}
	for _, a := range as {
		out[cs[a.Candidate].Task] = ts[a.Taker].Agent
	}
	return out
}

func TestPriorityThenLaneThenAge(t *testing.T) {
	t.Parallel()
	cs := []choose.Candidate{
		candidate(1, 0, 9*time.Second),
		candidate(2, 5, time.Second),
		candidate(3, 0, 8*time.Second),
		candidate(4, 0, time.Second),
	}
	cs[2].Lane = id.UUID{1}
	lanes := map[choose.LaneKey]choose.Lane{{Pool: pool}: {VTime: 1}}
	for slots, want := range [][]int32{{}, {2}, {2, 3}, {2, 3, 1}, {2, 3, 1, 4}, {2, 3, 1, 4}} {
		ts := []choose.Taker{taker(1, int32(slots))}
		var got []int32
		for _, a := range choose.Choose(choose.Scene{Now: now, Pools: open, Candidates: cs, Takers: ts, Lanes: lanes}).Assignments {
			got = append(got, cs[a.Candidate].Task)
		}
		require.ElementsMatch(t, want, got)
	}
}

func TestPausedAndFullPoolsGiveNothing(t *testing.T) {
	t.Parallel()
	cs := []choose.Candidate{candidate(1, 0, 2), candidate(2, 0, 1), candidate(3, 0, 0)}
	cs[2].Need = choose.Amount{} // a decision takes no slot
	ts := []choose.Taker{taker(1, 9)}
	for name, c := range map[string]struct {
		pools map[id.UUID]choose.Pool
		want  int
	}{
		"open":        {open, 3},
		"unknown":     {nil, 0},
		"paused":      {map[id.UUID]choose.Pool{pool: {Paused: true}}, 0},
		"one slot":    {map[id.UUID]choose.Pool{pool: {Limited: true, SlotsLeft: 1}}, 2},
		"full":        {map[id.UUID]choose.Pool{pool: {Limited: true}}, 1},
		"overdrawn":   {map[id.UUID]choose.Pool{pool: {Limited: true, SlotsLeft: -3}}, 1},
		"other pools": {map[id.UUID]choose.Pool{{2}: {}}, 0},
	} {
		require.Len(t, chosen(c.pools, cs, ts), c.want, name)
	}
}

// What does not fit is passed by; it does not hold up what does.
func TestABigTaskIsPassedBy(t *testing.T) {
	t.Parallel()
	big := candidate(1, 9, time.Hour)
	big.Need = choose.Amount{Slots: 1, GPUs: 1}
	cs := []choose.Candidate{big, candidate(2, 0, 0)}
	ts := []choose.Taker{taker(1, 1)}
	require.Equal(t, map[int32]id.UUID{2: agent(1)}, leased(cs, ts, chosen(open, cs, ts)))
}

func TestWarmAgentFirst(t *testing.T) {
	t.Parallel()
	c := candidate(1, 0, 0)
	c.Prefer = agent(2)
	ts := []choose.Taker{taker(1, 1), taker(2, 1)}
	cs := []choose.Candidate{c}
	require.Equal(t, agent(2), leased(cs, ts, chosen(open, cs, ts))[1])
	ts[1].Free = one(0) // it is full: any other
	require.Equal(t, agent(1), leased(cs, ts, chosen(open, cs, ts))[1])
}

func TestAvoidedAgentLast(t *testing.T) {
	t.Parallel()
	c := candidate(1, 0, 0)
	c.Avoid, c.Prefer = agent(1), agent(1)
	ts := []choose.Taker{taker(1, 1), taker(2, 1)}
	give := func() map[int32]id.UUID {
		cs := []choose.Candidate{c}
		return leased(cs, ts, chosen(open, cs, ts))
	}
	require.Equal(t, agent(2), give()[1])
	ts = ts[:1] // it is the only one that could
	require.Equal(t, agent(1), give()[1])
	c.AvoidUntil = now.Add(time.Millisecond)
	require.Empty(t, give())
	c.AvoidUntil = now
	require.Equal(t, agent(1), give()[1])
}

func TestNothingToDo(t *testing.T) {
	t.Parallel()
	require.Empty(t, chosen(open, nil, []choose.Taker{taker(1, 1)}))
	require.Empty(t, chosen(open, []choose.Candidate{candidate(1, 0, 0)}, nil))
}
