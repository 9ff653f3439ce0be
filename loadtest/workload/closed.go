package workload

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/report"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
)

// closed is W4 and W5: each tenant has so many runs going, the next one starts
// when one is done.
func (c *crew) closed(ctx context.Context) ([]report.Point, error) {
	s := c.bench.Scenario
	var points []report.Point
	for _, atOnce := range s.AtOnce {
		p := report.Point{Name: strconv.Itoa(atOnce) + " at once", X: float64(atOnce)}
		hops, runs := measure.NewHistogram(), measure.NewHistogram()
		if err := c.rounds(ctx, atOnce, time.Duration(s.Warmup), func(time.Duration, []driver.Event) {}); err != nil {
			return nil, err
		}
		err := c.stretch(ctx, &p, func() error {
			begin := time.Now()
			var n atomic.Int64
			err := c.rounds(ctx, atOnce, time.Duration(s.Duration), func(took time.Duration, events []driver.Event) {
				n.Add(1)
				runs.Record(took)
				if s.Workload == scenario.Chain {
					recordHops(hops, events)
				}
			})
			p.Runs, p.Steps = n.Load(), n.Load()*int64(c.graph.Attempts())
			p.Rate = float64(p.Steps) / time.Since(begin).Seconds()
			return err
		})
		if err != nil {
			return nil, err
		}
		p.Latencies = map[string]measure.Latency{"run": runs.Latency()}
		if s.Workload == scenario.Chain {
			p.Latencies["hop"] = hops.Latency()
		}
		points = append(points, p)
	}
	return points, nil
}

// rounds keeps so many runs going in each tenant for so long, and waits for the
// last of them.
func (c *crew) rounds(ctx context.Context, atOnce int, during time.Duration, each func(took time.Duration, events []driver.Event)) error {
	begin := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for i := range atOnce * len(c.tenants) {
		group.Go(func() error {
			for time.Since(begin) < during {
				at := time.Now()
				events, err := c.once(ctx, i)
				if err != nil {
					return err
				}
				each(time.Since(at), events)
			}
			return nil
		})
	}
	return group.Wait()
}

// recordHops records, for each step of a chain but the first, the time from the
// report that ended the step before it to its lease in an agent's hands: what
// the control plane and the wire take.
func recordHops(h *measure.Histogram, events []driver.Event) {
	slices.SortFunc(events, func(a, b driver.Event) int { return a.Step - b.Step })
	for i := 1; i < len(events); i++ {
		h.Record(time.Duration(events[i].Leased - events[i-1].Reported))
	}
}
