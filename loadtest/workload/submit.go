package workload

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/report"
)

// submits is W2: callers start one-step runs one after the other, while agents
// do the steps.
func (c *crew) submits(ctx context.Context) ([]report.Point, error) {
	s := c.bench.Scenario
	var points []report.Point
	var total int64
	for _, callers := range s.AtOnce {
		warm, err := c.call(ctx, callers, time.Duration(s.Warmup), measure.NewHistogram())
		if err != nil {
			return nil, err
		}
		total += warm
		if err := c.drain(ctx, total); err != nil {
			return nil, err
		}
		p := report.Point{Name: strconv.Itoa(callers) + " callers", X: float64(callers)}
		h := measure.NewHistogram()
		err = c.stretch(ctx, &p, func() error {
			begin := time.Now()
			n, err := c.call(ctx, callers, time.Duration(s.Duration), h)
			p.Runs, p.Rate = n, float64(n)/time.Since(begin).Seconds()
			total += n
			if err != nil {
				return err
			}
			// What the steps of these runs cost belongs to the point.
			if len(c.fleets) > 0 {
				p.Steps = n
			}
			return c.drain(ctx, total)
		})
		if err != nil {
			return nil, err
		}
		p.Latencies = map[string]measure.Latency{"submit": h.Latency()}
		points = append(points, p)
	}
	return points, nil
}

// call has callers submit for so long, and returns how many runs they started.
func (c *crew) call(ctx context.Context, callers int, during time.Duration, h *measure.Histogram) (int64, error) {
	var n atomic.Int64
	begin := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for i := range callers {
		tenant := c.tenants[i%len(c.tenants)]
		group.Go(func() error {
			for time.Since(begin) < during {
				at := time.Now()
				if _, err := tenant.Submit(ctx, c.graph.Name, ""); err != nil {
					return err
				}
				h.Record(time.Since(at))
				n.Add(1)
			}
			return nil
		})
	}
	err := group.Wait()
	return n.Load(), err
}
