package workload_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
	"github.com/signalboxhq/signalbox/loadtest/workload"
)

func TestOpenLoopCountsFromWhenItWasDue(t *testing.T) {
	t.Parallel()
	// The orchestrator answers nobody for the first 200 ms. A closed loop would
	// see one slow call; here all that were due meanwhile are late.
	f := newFake(t)
	f.deaf = 200 * time.Millisecond
	points := f.run(t, scenario.Scenario{Workload: scenario.Latency, Rates: []float64{500}, Duration: scenario.Duration(400 * time.Millisecond)})
	require.Equal(t, int64(200), points[0].Runs)
	require.Equal(t, int64(200), points[0].Latencies["start"].Count)
	require.Greater(t, points[0].Latencies["start"].P90, int64(120_000))
	require.Less(t, points[0].Latencies["late"].P50, int64(100_000), "the generator itself was on time")
}

func TestHopsAreFromReportToLease(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.hop = 7 * time.Millisecond
	points := f.run(t, scenario.Scenario{Workload: scenario.Chain, Length: 5, AtOnce: []int{1, 4}, Duration: scenario.Duration(50 * time.Millisecond)})
	require.Len(t, points, 2)
	for _, p := range points {
		require.Equal(t, p.Runs*5, p.Steps)
		require.Equal(t, p.Runs*4, p.Latencies["hop"].Count)
		require.InDelta(t, 7000, p.Latencies["hop"].P50, 20)
	}
}

func TestBulkDoesAllSteps(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	points := f.run(t, scenario.Scenario{Workload: scenario.Bulk, Tenants: 2, Steps: 1000, Width: 50, AtOnce: []int{3}})
	require.Equal(t, int64(1000), points[0].Steps)
	require.Equal(t, int64(20), points[0].Runs)
	require.Equal(t, 22, f.submitted(), "one of each tenant warms up")
}

func TestSubmitsAreCountedWithoutAgents(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	s := scenario.Scenario{Workload: scenario.Submit, AtOnce: []int{2}, Duration: scenario.Duration(20 * time.Millisecond)}
	points := f.run(t, s)
	require.Positive(t, points[0].Runs)
	require.Equal(t, points[0].Runs, points[0].Latencies["submit"].Count)
}

func TestStepsToldTwiceCountOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.twice = true
	points := f.run(t, scenario.Scenario{Workload: scenario.Fan, Width: 3, AtOnce: []int{1}, Duration: scenario.Duration(10 * time.Millisecond)})
	require.Equal(t, points[0].Runs*5, points[0].Steps)
}

func TestGraphs(t *testing.T) {
	t.Parallel()
	b := workload.Bench{Scenario: scenario.Scenario{Workload: scenario.Fan, Width: 2, SpecBytes: 200}}
	require.Equal(t, driver.Graph{
		Name: "fan", SpecBytes: 200, Steps: []driver.Step{{}, {Needs: []int{0}}, {Needs: []int{0}}, {Needs: []int{1, 2}}},
	}, b.Graph())
}

func TestFloodMeasuresTheOtherTenant(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	points := f.run(t, scenario.Scenario{
		Workload: scenario.Flood, Tenants: 2, Steps: 500, Width: 50, Rates: []float64{100}, Duration: scenario.Duration(100 * time.Millisecond),
	})
	require.Len(t, points, 2)
	require.Equal(t, int64(10), points[0].Latencies["start"].Count)
	require.Equal(t, int64(10), points[0].Steps)
	require.Equal(t, int64(10), points[1].Latencies["start"].Count)
	require.Equal(t, int64(510), points[1].Steps)
}

func TestIdleAddsAgents(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.run(t, scenario.Scenario{Workload: scenario.Idle, AtOnce: []int{3, 10}, Duration: scenario.Duration(time.Millisecond)})
	require.Equal(t, 10, f.staffed)
}

func TestFaultsAreJudged(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.killed = map[scenario.Fault]int{}
	points := f.run(t, scenario.Scenario{
		Workload: scenario.Faults, Steps: 100, Width: 10, AtOnce: []int{2}, Kill: []scenario.Fault{scenario.KillServer, scenario.KillAgents, scenario.KillServer},
		Every: scenario.Duration(5 * time.Millisecond),
	})
	require.Equal(t, map[scenario.Fault]int{scenario.KillServer: 2}, f.killed)
	require.Equal(t, 2, f.staffed, "the agents were started again")
	require.Equal(t, int64(10), points[0].Verdict.Runs, "a submit whose answer was lost was made again")
	require.Equal(t, int64(10), points[0].Verdict.Submitted)
}

func TestRestartWaitsForAnAgent(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	points := f.run(t, scenario.Scenario{Workload: scenario.Restart, Steps: 100, Width: 10, AtOnce: []int{3}})
	require.Equal(t, 13, f.submitted(), "ten runs are open, and one is seen after each restart")
	require.Equal(t, 3, f.restarted)
	require.Equal(t, int64(3), points[0].Latencies["first lease"].Count)
	require.GreaterOrEqual(t, points[0].Latencies["first lease"].P50, points[0].Latencies["healthy"].P50)
}

func TestShareTellsPositions(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.hop = time.Millisecond
	points := f.run(t, scenario.Scenario{Workload: scenario.Share, Steps: 50, Width: 3})
	require.Equal(t, driver.Sharing{Teams: true}, f.shared)
	require.Equal(t, int64(103), points[0].Steps)
	require.Len(t, points[0].Positions, 3)
	require.Equal(t, 1, points[0].Positions[0])
}

func TestGangsStartInAStream(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.hop = time.Millisecond
	points := f.run(t, scenario.Scenario{Workload: scenario.Gang, Steps: 2, Width: 4, ReserveAfter: scenario.Duration(time.Second)})
	require.Equal(t, driver.Sharing{ReserveAfter: time.Second}, f.shared)
	require.Equal(t, int64(2), points[0].Latencies["all leased"].Count)
	require.GreaterOrEqual(t, points[0].Latencies["all leased"].P50, int64(2990), "the last of the members counts")
}

func TestStepsLeaveWhatTheConditionSays(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	points := f.run(t, scenario.Scenario{
		Workload: scenario.Bulk, Steps: 10, Width: 5, AtOnce: []int{1},
		Under: []scenario.Condition{scenario.Undisturbed, scenario.SealedValues, scenario.NoValues},
	})
	require.Len(t, points, 3)
	require.Equal(t, map[driver.Leaving]int{driver.OpenValue: 3, driver.SealedValue: 3, driver.NoValue: 3}, f.left)
}
