package workload_test

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/report"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
	"github.com/signalboxhq/signalbox/loadtest/workload"
)

// fake is an orchestrator in memory, with latencies of its own choice.
type fake struct {
	begin time.Time
	deaf  time.Duration // answers nobody for so long
	hop   time.Duration // from a step's report to the lease of the next
	twice bool          // tells everything twice

	mu      sync.Mutex
	runs    int
	staffed int
	killed  map[scenario.Fault]int
}

func newFake(t *testing.T) *fake {
	t.Helper()
	return &fake{begin: time.Now()}
}

func (f *fake) submitted() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.runs
}

func (f *fake) run(t *testing.T, s scenario.Scenario) []report.Point {
	t.Helper()
	s.Tenants, s.Agents = max(1, s.Tenants), scenario.Agents{Count: 1, Slots: 1, ReportBatch: 1}
	b := workload.Bench{
		Scenario: s, Driver: f, Probe: still{}, Log: slog.New(slog.DiscardHandler),
		Kills: map[scenario.Fault]func(context.Context) error{scenario.KillServer: func(context.Context) error {
			f.killed[scenario.KillServer]++
			return nil
		}},
	}
	points, err := b.Run(t.Context())
	require.NoError(t, err)
	return points
}

func (f *fake) Name() string              { return "fake" }
func (f *fake) Processes() map[string]int { return map[string]int{} }
func (f *fake) Tenant(context.Context, string) (driver.Tenant, error) {
	return &fakeTenant{fake: f, graphs: map[string]driver.Graph{}}, nil
}

// Judge has nothing to complain of.
func (f *fake) Judge(context.Context) (driver.Verdict, error) {
	return driver.Verdict{Runs: int64(f.submitted())}, nil
}

type fakeTenant struct {
	fake   *fake
	graphs map[string]driver.Graph
	told   func([]driver.Event)
}

func (t *fakeTenant) Deploy(_ context.Context, g driver.Graph) error {
	t.graphs[g.Name] = g
	return nil
}

func (t *fakeTenant) Work(_ context.Context, w driver.Workers, told func([]driver.Event)) (driver.Fleet, error) {
	t.told = told
	t.fake.staffed += w.Count
	return fakeFleet{}, nil
}

// Submit does the whole run before it answers.
func (t *fakeTenant) Submit(_ context.Context, graph string) (string, error) {
	if wait := t.fake.deaf - time.Since(t.fake.begin); wait > 0 {
		<-time.After(wait)
	}
	t.fake.mu.Lock()
	t.fake.runs++
	id := strconv.Itoa(t.fake.runs)
	t.fake.mu.Unlock()
	var events []driver.Event
	for i := range t.graphs[graph].Steps {
		at := time.Now().Add(time.Duration(i) * t.fake.hop).UnixNano()
		events = append(events, driver.Event{Run: id, Step: i, Attempt: 1, Leased: at, Reported: at, Acked: at})
	}
	t.told(events)
	if t.fake.twice {
		t.told(events[:len(events)-1])
	}
	return id, nil
}

// still measures nothing.
type still struct{}

func (still) Begin(context.Context, map[string]int) (func(context.Context, bool) (measure.Usage, error), error) {
	return func(context.Context, bool) (measure.Usage, error) { return measure.Usage{}, nil }, nil
}

type fakeFleet struct{}

func (fakeFleet) PID() int    { return os.Getpid() }
func (fakeFleet) Stop() error { return nil }

func (fakeFleet) Counts() driver.Counts { return driver.Counts{} }
