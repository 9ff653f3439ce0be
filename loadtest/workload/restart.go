package workload

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/report"
)

// restarts is how often the server dies on one load of steps.
const restarts = 3

// restart kills the server while very many steps are open, and measures how long
// it takes from the kill to the first new lease in an agent's hands. The steps are
// those of runs that were submitted the usual way, before there were agents.
func (c *crew) restart(ctx context.Context) ([]report.Point, error) {
	if c.bench.Server == nil {
		return nil, errors.New("nobody knows how to restart the server")
	}
	s := c.bench.Scenario
	if err := c.pile(ctx, int64(s.Steps/s.Width), s.AtOnce[0]); err != nil {
		return nil, err
	}
	for i := range c.tenants {
		if err := c.staff(ctx, i, s.Agents.Count); err != nil {
			return nil, err
		}
	}
	healthy, first := measure.NewHistogram(), measure.NewHistogram()
	p := report.Point{Name: strconv.Itoa(s.Steps) + " steps open", X: float64(s.Steps)}
	for range restarts {
		if err := wait(ctx, time.Duration(s.Warmup)); err != nil {
			return nil, err
		}
		begin := time.Now()
		if err := c.bench.Server.Kill(); err != nil {
			return nil, err
		}
		leased := c.tally.leasedAfter(time.Now())
		if err := c.bench.Server.Start(ctx); err != nil {
			return nil, err
		}
		healthy.Record(time.Since(begin))
		select {
		case e := <-leased:
			first.Record(time.Duration(e.Leased - begin.UnixNano()))
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		p.Runs++
	}
	memory := map[string]int64{}
	for name, pid := range c.bench.Driver.Processes() {
		var err error
		if _, memory[name], err = measure.Tree(pid); err != nil {
			return nil, err
		}
	}
	p.Usage.Memory = memory
	p.Steps = c.tally.steps.Load()
	p.Latencies = map[string]measure.Latency{"healthy": healthy.Latency(), "first lease": first.Latency()}
	return []report.Point{p}, nil
}

// pile submits so many runs, which nobody does yet.
func (c *crew) pile(ctx context.Context, runs int64, callers int) error {
	begin := time.Now()
	var begun atomic.Int64
	group, grouped := errgroup.WithContext(ctx)
	for i := range callers {
		group.Go(func() error {
			for begun.Add(1) <= runs {
				if _, err := c.tenants[i%len(c.tenants)].Submit(grouped, c.graph.Name, ""); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	c.bench.Log.LogAttrs(ctx, slog.LevelInfo, "submitted", slog.Int64("runs", runs), slog.Duration("took", time.Since(begin)))
	return err
}
