package workload_test

import (
	"context"
	"errors"
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
	keys    map[string]string // the runs that were started with one
	shared  driver.Sharing
	staffed int
	killed  map[scenario.Fault]int
	// restarted counts the server's, left the runs by what their steps leave.
	restarted int
	left      map[driver.Leaving]int
	tells     func([]driver.Event)
}

func newFake(t *testing.T) *fake {
	t.Helper()
	return &fake{begin: time.Now(), keys: map[string]string{}, left: map[driver.Leaving]int{}}
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
		Server: f,
		Kills: map[scenario.Fault]func(context.Context) error{scenario.KillServer: func(context.Context) error {
			f.killed[scenario.KillServer]++
			return nil
		}},
	}
	points, err := b.Run(t.Context())
	require.NoError(t, err)
	return points
}

// Kill forgets nothing.
func (f *fake) Kill() error { return nil }

// Start has a step done at once, of a run of its own.
func (f *fake) Start(context.Context) error {
	at := time.Now().UnixNano()
	f.mu.Lock()
	f.restarted++
	f.runs++
	f.mu.Unlock()
	f.tells([]driver.Event{{Run: "after", Step: f.restarted, Leased: at, Reported: at, Acked: at}})
	return nil
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
	t.told, t.fake.tells = told, told
	t.fake.staffed += w.Count
	return fakeFleet{}, nil
}

// Submit does the whole run before it answers.
func (t *fakeTenant) Submit(_ context.Context, graph, key string) (string, error) {
	if wait := t.fake.deaf - time.Since(t.fake.begin); wait > 0 {
		<-time.After(wait)
	}
	t.fake.mu.Lock()
	if started := t.fake.keys[key]; started != "" {
		t.fake.mu.Unlock()
		return started, nil
	}
	t.fake.runs++
	t.fake.left[t.graphs[graph].Leaves]++
	id := strconv.Itoa(t.fake.runs)
	lost := key != "" && t.fake.runs%2 == 0
	if key != "" {
		t.fake.keys[key] = id
	}
	t.fake.mu.Unlock()
	var events []driver.Event
	g := t.graphs[graph]
	for i := range g.Attempts() {
		at := time.Now().Add(time.Duration(i) * t.fake.hop).UnixNano()
		events = append(events, driver.Event{Run: id, Step: i, Attempt: 1, Leased: at, Reported: at, Acked: at})
	}
	if t.told == nil {
		return id, nil // nobody works yet
	}
	t.told(events)
	if t.fake.twice {
		t.told(events[:len(events)-1])
	}
	if lost {
		return "", errors.New("the answer was lost")
	}
	return id, nil
}

// Share keeps what was asked for.
func (t *fakeTenant) Share(_ context.Context, s driver.Sharing) error {
	t.fake.shared = s
	return nil
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
