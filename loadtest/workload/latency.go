package workload

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/report"
)

// latencies is W3: one-step runs are due at a steady rate whatever the system
// does, and every latency counts from when its run was due.
func (c *crew) latencies(ctx context.Context) ([]report.Point, error) {
	s := c.bench.Scenario
	var points []report.Point
	for _, rate := range s.Rates {
		if err := c.open(ctx, rate, time.Duration(s.Warmup), newOpenFigures()); err != nil {
			return nil, err
		}
		p := report.Point{Name: fmt.Sprintf("%g/s", rate), X: rate}
		f := newOpenFigures()
		err := c.stretch(ctx, &p, func() error {
			begin := time.Now()
			err := c.open(ctx, rate, time.Duration(s.Duration), f)
			p.Runs = f.done.Latency().Count
			p.Steps, p.Rate = p.Runs, float64(p.Runs)/time.Since(begin).Seconds()
			return err
		})
		if err != nil {
			return nil, err
		}
		p.Latencies = map[string]measure.Latency{
			"late": f.late.Latency(), "submit": f.submit.Latency(), "start": f.start.Latency(), "done": f.done.Latency(),
		}
		points = append(points, p)
		if p.Latencies["start"].P99 > givenUp.Microseconds() {
			break // higher rates only take longer to say the same
		}
	}
	return points, nil
}

// givenUp is a p99 at which the system does not keep up.
const givenUp = 2 * time.Second

// openFigures are the latencies of an open loop: how late the generator itself
// was, and from when a run was due to when its submit was answered, its lease was
// in an agent's hands, its end was committed.
type openFigures struct{ late, submit, start, done *measure.Histogram }

func newOpenFigures() openFigures {
	return openFigures{measure.NewHistogram(), measure.NewHistogram(), measure.NewHistogram(), measure.NewHistogram()}
}

// open submits at the rate for so long, and waits until all is done.
func (c *crew) open(ctx context.Context, rate float64, during time.Duration, f openFigures) error {
	ctx, cancel := context.WithTimeout(ctx, during+drainFor)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	pace(ctx, rate, during, func(i int, due time.Time) {
		group.Go(func() error {
			f.late.Record(time.Since(due))
			id, err := c.tenants[i%len(c.tenants)].Submit(ctx, c.graph.Name, "")
			if err != nil {
				return err
			}
			f.submit.Record(time.Since(due))
			events, err := c.tally.await(ctx, id)
			if err != nil {
				return err
			}
			f.start.Record(time.Duration(events[0].Leased - due.UnixNano()))
			f.done.Record(time.Duration(events[0].Acked - due.UnixNano()))
			return nil
		})
	})
	return group.Wait()
}
