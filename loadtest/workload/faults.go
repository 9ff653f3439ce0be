package workload

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	"github.com/signalboxhq/signalbox/loadtest/report"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
)

// recoverFor bounds how long what the faults left may take: a session that died
// is noticed after half a minute.
const recoverFor = 3 * time.Minute

// faults is W8: parts are killed in the middle of bulk work; then the books are
// checked.
func (c *crew) faults(ctx context.Context) ([]report.Point, error) {
	judge, ok := c.bench.Driver.(driver.Judge)
	if !ok {
		return nil, errors.New("this driver cannot say whether its books are right")
	}
	s := c.bench.Scenario
	p := report.Point{Name: fmt.Sprintf("%v killed", s.Kill), X: 1}
	untouched, err := judge.Judge(ctx)
	if err != nil {
		return nil, err
	}
	before, begin := c.tally.steps.Load(), time.Now()
	working, done := context.WithCancel(ctx)
	defer done()
	group, grouped := errgroup.WithContext(ctx)
	var submitted atomic.Int64
	for i := range s.AtOnce[0] * len(c.tenants) {
		group.Go(func() error { return c.pester(grouped, i, &submitted) })
	}
	killing, killed := errgroup.WithContext(working)
	killing.Go(func() error { return c.killAll(killed) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := killing.Wait(); err != nil {
		return nil, err
	}
	verdict, err := c.settled(ctx, judge)
	if err != nil {
		return nil, err
	}
	verdict.Submitted = untouched.Runs + submitted.Load()
	p.Verdict = &verdict
	p.Runs, p.Steps = verdict.Runs, c.tally.steps.Load()-before
	p.Rate = float64(verdict.Attempts) / time.Since(begin).Seconds()
	return []report.Point{p}, nil
}

// pester submits runs and lets nothing keep it from that: a submit whose answer
// was lost is made again with its key. It does not wait for the runs: what a
// killed fleet has not told, it never will.
func (c *crew) pester(ctx context.Context, i int, submitted *atomic.Int64) error {
	s := c.bench.Scenario
	total := int64(max(1, s.Steps/s.Width))
	limit := time.Duration(s.Every) * time.Duration(len(s.Kill)+1)
	pause := limit / time.Duration(max(1, total/int64(s.AtOnce[0]*len(c.tenants))))
	for n := submitted.Add(1); n <= total; n = submitted.Add(1) {
		for answered := false; !answered; {
			_, err := c.tenants[i%len(c.tenants)].Submit(ctx, c.graph.Name, "run-"+strconv.FormatInt(n, 10))
			answered = err == nil
			if err := wait(ctx, pause); err != nil {
				return err
			}
		}
	}
	submitted.Add(-1)
	return nil
}

// killAll kills one after the other, with pauses.
func (c *crew) killAll(ctx context.Context) error {
	s := c.bench.Scenario
	for _, what := range s.Kill {
		if err := wait(ctx, time.Duration(s.Every)); err != nil {
			return err
		}
		if what == scenario.KillAgents {
			for i := range c.tenants {
				_ = c.fleets[i].Stop()
				if err := c.staff(ctx, i, s.Agents.Count); err != nil {
					return err
				}
				last := len(c.fleets) - 1
				c.fleets[i], c.fleets = c.fleets[last], c.fleets[:last]
			}
			continue
		}
		kill := c.bench.Kills[what]
		if kill == nil {
			return fmt.Errorf("nobody knows how to kill the %s", what)
		}
		if err := kill(ctx); err != nil {
			return fmt.Errorf("kill the %s: %w", what, err)
		}
	}
	return nil
}

// settled waits until no run is open and returns the verdict.
func (c *crew) settled(ctx context.Context, judge driver.Judge) (driver.Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, recoverFor)
	defer cancel()
	for {
		verdict, err := judge.Judge(ctx)
		if err != nil || verdict.Open == 0 {
			return verdict, err
		}
		if err := wait(ctx, time.Second); err != nil {
			return verdict, errors.Join(fmt.Errorf("%d runs are still open", verdict.Open), err)
		}
	}
}
