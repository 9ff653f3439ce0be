package simulation_test

import (
	"flag"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// How simulations are repeated, or made longer, by hand.
var (
	simSeed      = flag.Uint64("sim.seed", 1, "the first seed of TestSeeds")
	simSeeds     = flag.Int("sim.seeds", 100, "how many seeds TestSeeds runs")
	simHours     = flag.Float64("sim.hours", 0.25, "simulated hours of storm in each seed of TestSeeds")
	simHistories = flag.Int("sim.histories", 5, "how many histories TestHistoriesAreLinearizable checks")
	simLog       = flag.Bool("sim.log", false, "tell what happens in TestSeeds")
)

// in runs a simulation in a bubble of its own.
func in(t *testing.T, opt options) result {
	t.Helper()
	var out result
	synctest.Test(t, func(*testing.T) { out = simulate(opt) })
	return out
}

// The invariants of model.md §10 hold under every seed.
func TestSeeds(t *testing.T) {
	t.Parallel()
	const lanes = 2
	results := make([][]result, lanes)
	began := time.Now()
	var running sync.WaitGroup
	for lane := range lanes {
		running.Go(func() {
			for i := lane; i < *simSeeds && !t.Failed(); i += lanes {
				opt := options{seed: *simSeed + uint64(i), hours: *simHours}
				if *simLog {
					opt.log = t.Logf
				}
				out := in(t, opt)
				if len(out.violations) > 0 {
					t.Errorf("%s\nrepeat with -run TestSeeds -sim.seed %d -sim.seeds 1 -sim.hours %v -sim.log", out.violations[0], opt.seed, opt.hours)
				}
				results[lane] = append(results[lane], out)
			}
		})
	}
	running.Wait()
	var sum tally
	var hours float64
	var steps int
	for _, lane := range results {
		for _, out := range lane {
			sum.add(out.done)
			hours += out.hours
			steps += out.steps
		}
	}
	t.Logf("seeds %d to %d: %.0f simulated hours, %d steps in %s: %+v",
		*simSeed, *simSeed+uint64(*simSeeds)-1, hours, steps, time.Since(began).Round(time.Millisecond), sum)
}

func (s *tally) add(x tally) {
	s.Children += x.Children
	s.Runs, s.Ended, s.Attempts, s.Decisions, s.Lost, s.Stale = s.Runs+x.Runs, s.Ended+x.Ended, s.Attempts+x.Attempts, s.Decisions+x.Decisions, s.Lost+x.Lost, s.Stale+x.Stale
	s.Commits, s.Kills, s.Freezes, s.Outages, s.Cuts = s.Commits+x.Commits, s.Kills+x.Kills, s.Freezes+x.Freezes, s.Outages+x.Outages, s.Cuts+x.Cuts
	s.Backends, s.Duplicates, s.Unknown, s.Expired = s.Backends+x.Backends, s.Duplicates+x.Duplicates, s.Unknown+x.Unknown, s.Expired+x.Expired
}

// A seed is its history, to the last step.
func TestASeedRepeatsItself(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		first := in(t, options{seed: seed, hours: 0.3})
		require.Equal(t, first.digest, in(t, options{seed: seed, hours: 0.3}).digest)
		require.NotEqual(t, first.digest, in(t, options{seed: seed + 100, hours: 0.3}).digest)
	}
}

// A bug that is planted is found within 100 seeds.
func TestPlantedBugsAreFound(t *testing.T) {
	t.Parallel()
	for _, p := range []plant{
		plantFence, plantSessionFence, plantUnique, plantLeaseUnique, plantKey, plantReport, plantSlot, plantPool,
		plantLine, plantLeave, plantRejoin, plantLimit, plantHold, plantTwice, plantGang,
	} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(100) {
				if out := in(t, options{seed: 1 + seed, hours: 0.5, plant: p}); len(out.violations) > 0 {
					t.Logf("seed %d: %s", 1+seed, out.violations[0])
					return
				}
			}
			t.Errorf("not found within 100 seeds: %s", p)
		})
	}
}

// The leases of the simulation are linearizable, as agents and reapers saw them.
func TestHistoriesAreLinearizable(t *testing.T) {
	t.Parallel()
	for seed := range uint64(*simHistories) {
		out := in(t, options{seed: 1000 + seed, hours: 0.5, record: true})
		require.Empty(t, out.violations)
		require.NotZero(t, out.history.Len())
		require.NoError(t, out.history.Check(30*time.Second), "seed %d", 1000+seed)
	}
}
