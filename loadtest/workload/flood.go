package workload

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/report"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
)

// flood is W7's second half: the first tenant submits one-step runs at a steady
// rate, first alone, then beside a tenant that floods the system with wide runs or
// has one map after the other. Beside maps its latency is compared with that alone.
func (c *crew) flood(ctx context.Context) ([]report.Point, error) {
	s := c.bench.Scenario
	single := driver.Graph{Name: "single", Steps: make([]driver.Step, 1), SpecBytes: s.SpecBytes}
	if err := c.tenants[0].Deploy(ctx, single); err != nil {
		return nil, err
	}
	var points []report.Point
	for _, rate := range s.Rates {
		for _, flooded := range []bool{false, true} {
			p := report.Point{Name: fmt.Sprintf("%g/s alone", rate), X: rate}
			switch {
			case s.Items > 0 && flooded:
				p.Name, p.Condition = fmt.Sprintf("%g/s beside a map", rate), scenario.BesideMap
			case s.Items > 0:
				p.Condition = scenario.Undisturbed
			case flooded:
				p.Name = fmt.Sprintf("%g/s beside a flood", rate)
			}
			h := measure.NewHistogram()
			err := c.stretch(ctx, &p, func() error { return c.beside(ctx, &p, flooded, rate, h) })
			if err != nil {
				return nil, err
			}
			p.Latencies = map[string]measure.Latency{"start": h.Latency()}
			points = append(points, p)
		}
	}
	return points, nil
}

// beside measures the first tenant's starts; the second floods meanwhile.
func (c *crew) beside(ctx context.Context, p *report.Point, flooded bool, rate float64, h *measure.Histogram) error {
	s := c.bench.Scenario
	before := c.tally.steps.Load()
	flooding, stop := context.WithCancel(ctx)
	defer stop()
	var flood errgroup.Group
	if flooded {
		if s.Items > 0 {
			flood.Go(func() error { return c.maps(flooding) })
		} else {
			flood.Go(func() error { return c.pour(flooding, int64(s.Steps/s.Width)) })
		}
	}
	begin := time.Now()
	group, grouped := errgroup.WithContext(ctx)
	pace(ctx, rate, time.Duration(s.Duration), func(_ int, due time.Time) {
		group.Go(func() error {
			id, err := c.tenants[0].Submit(grouped, "single", "")
			if err != nil {
				return err
			}
			e, err := c.tally.first(grouped, id)
			if err == nil {
				h.Record(time.Duration(e.Leased - due.UnixNano()))
			}
			return err
		})
	})
	err := group.Wait()
	p.Runs, p.Steps = h.Latency().Count, c.tally.steps.Load()-before
	p.Rate = float64(p.Steps) / time.Since(begin).Seconds()
	stop()
	if poured := flood.Wait(); !errors.Is(poured, context.Canceled) {
		err = errors.Join(err, poured)
	}
	return err
}

// pour has the second tenant keep the queue full until ctx ends.
func (c *crew) pour(ctx context.Context, runs int64) error {
	var n atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range 8 {
		group.Go(func() error {
			for n.Add(1) <= runs {
				if _, err := c.tenants[1].Submit(ctx, c.graph.Name, ""); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// maps has the second tenant do one map after the other until ctx ends.
func (c *crew) maps(ctx context.Context) error {
	for {
		if _, err := c.once(ctx, 1); err != nil {
			return err
		}
	}
}
