package agentsim

import (
	"context"
	"encoding/gob"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// flushEvery is how long events wait for others: telling each alone would cost
// more than the agents do.
const flushEvery = 2 * time.Millisecond

// joining bounds how many agents join at a time.
const joining = 16

// fleet is all agents of the process.
type fleet struct {
	config    Config
	transport http.RoundTripper
	results   map[driver.Leaving]*runv1.Value
	steps     sync.WaitGroup

	polled, reported, idle, ordered, stale, retried atomic.Int64

	mu     sync.Mutex
	events []driver.Event
	some   chan struct{} // holds one
}

// Run is a fleet until ctx ends. It tells on out when all agents are online, and
// then each attempt that ended.
func Run(ctx context.Context, config Config, out io.Writer) error {
	f := &fleet{
		config: config, some: make(chan struct{}, 1),
		transport: &http.Transport{MaxIdleConnsPerHost: 4 * config.Workers.Count, DisableCompression: true},
	}
	encoder := gob.NewEncoder(out)
	var agents []*agent
	var err error
	if f.results, err = results(config.Workers.ResultBytes); err == nil {
		agents, err = f.join(ctx)
	}
	if err != nil {
		_ = encoder.Encode(Told{Err: err.Error()})
		return err
	}
	if err := encoder.Encode(Told{Online: true}); err != nil {
		return fmt.Errorf("tell that the agents are online: %w", err)
	}
	var loops sync.WaitGroup
	for _, a := range agents {
		loops.Go(func() { a.pollLoop(ctx) })
		loops.Go(func() { a.reportLoop(ctx) })
	}
	err = f.tellLoop(ctx, encoder)
	loops.Wait()
	f.steps.Wait()
	return err
}

// join enrols all agents and opens their sessions.
func (f *fleet) join(ctx context.Context) ([]*agent, error) {
	agents := make([]*agent, f.config.Workers.Count)
	errs := make([]error, len(agents))
	var all sync.WaitGroup
	turns := make(chan struct{}, joining)
	for i := range agents {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			a, err := newAgent(f, f.config.Prefix+strconv.Itoa(i))
			if err == nil {
				err = a.enrol(ctx, f.config.Tokens[i/AgentsPerToken])
			}
			if err == nil {
				err = a.open(ctx, "")
			}
			agents[i], errs[i] = a, err
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return agents, nil
}

// report is the end of an attempt as the wire has it.
func (f *fleet) report(t *attempt, leaves driver.Leaving, now time.Time) *agentv1.AttemptReport {
	r := &agentv1.AttemptReport{
		LeaseId: t.lease.GetId(), RunId: t.lease.GetRunId(), Task: t.lease.GetTask(), Attempt: t.lease.GetAttempt(),
		Outcome: "succeeded", Started: true, DurationMs: t.ended.Sub(t.begun).Milliseconds(), FinishedAgoMs: now.Sub(t.ended).Milliseconds(),
	}
	if result := f.results[leaves]; result != nil {
		r.Outputs = []*runv1.Value{result}
	}
	return r
}

func (f *fleet) tell(events []driver.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, events...)
	select {
	case f.some <- struct{}{}:
	default:
	}
}

func (f *fleet) tellLoop(ctx context.Context, encoder *gob.Encoder) error {
	timer := time.NewTimer(flushEvery)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-f.some:
		case <-ctx.Done():
			return nil
		}
		f.mu.Lock()
		events := f.events
		f.events = nil
		f.mu.Unlock()
		if err := encoder.Encode(Told{
			Events: events, Polled: f.polled.Load(), Reported: f.reported.Load(), Idle: f.idle.Load(), Ordered: f.ordered.Load(),
			Stale: f.stale.Load(), Retried: f.retried.Load(),
		}); err != nil {
			return fmt.Errorf("tell what ended: %w", err)
		}
		timer.Reset(flushEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// StepName is what the step of an index is called.
func StepName(index int) string { return "s" + strconv.Itoa(index) }

// stepIndex is the index of a step's name, or of an item's in a map's, as
// `s0[17]`; -1 for another's.
func stepIndex(name string) int {
	if _, item, ok := strings.Cut(name, "["); ok {
		n, err := strconv.Atoi(strings.TrimSuffix(item, "]"))
		if err != nil {
			return -1
		}
		return n
	}
	digits, ok := strings.CutPrefix(name, "s")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil {
		return -1
	}
	return n
}
