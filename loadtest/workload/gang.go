package workload

import (
	"context"
	"errors"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/report"
)

// gangs starts one gang after the other while a stream of small steps keeps every
// slot busy, and measures from the submit to the lease of the last member.
func (c *crew) gangs(ctx context.Context) ([]report.Point, error) {
	s := c.bench.Scenario
	stream := driver.Graph{Name: "stream", Steps: make([]driver.Step, s.Agents.Count*s.Agents.Slots), SpecBytes: s.SpecBytes}
	err := c.tenants[0].Share(ctx, driver.Sharing{ReserveAfter: time.Duration(s.ReserveAfter)})
	if err == nil {
		err = c.tenants[0].Deploy(ctx, stream)
	}
	if err == nil {
		err = c.staff(ctx, 0, s.Agents.Count)
	}
	if err != nil {
		return nil, err
	}
	p := report.Point{Name: strconv.Itoa(s.Width) + " members", X: float64(s.Width)}
	h := measure.NewHistogram()
	streaming, stop := context.WithCancel(ctx)
	defer stop()
	var streams errgroup.Group
	streams.Go(func() error { return c.flow(streaming, stream) })
	if err := wait(ctx, time.Duration(s.Warmup)); err != nil {
		return nil, err
	}
	err = c.stretch(ctx, &p, func() error {
		begin, before := time.Now(), c.tally.steps.Load()
		for range s.Steps {
			if err := c.gang(ctx, h); err != nil {
				return err
			}
		}
		p.Runs, p.Steps = int64(s.Steps), c.tally.steps.Load()-before
		p.Rate = float64(p.Steps) / time.Since(begin).Seconds()
		return nil
	})
	stop()
	if streamed := streams.Wait(); !errors.Is(streamed, context.Canceled) {
		err = errors.Join(err, streamed)
	}
	p.Latencies = map[string]measure.Latency{"all leased": h.Latency()}
	return []report.Point{p}, err
}

// gang starts one and waits until it is done.
func (c *crew) gang(ctx context.Context, h *measure.Histogram) error {
	begin := time.Now()
	id, err := c.tenants[0].Submit(ctx, c.graph.Name, "")
	if err != nil {
		return err
	}
	events, err := c.tally.await(ctx, id)
	if err != nil {
		return err
	}
	last := int64(0)
	for _, e := range events {
		last = max(last, e.Leased)
	}
	h.Record(time.Duration(last - begin.UnixNano()))
	return nil
}

// flow keeps the workers busy with small steps: as many wait as run, and each that
// comes is younger than a gang that waits.
func (c *crew) flow(ctx context.Context, stream driver.Graph) error {
	for submitted := int64(0); ctx.Err() == nil; submitted += int64(len(stream.Steps)) {
		if err := c.drain(ctx, submitted-int64(len(stream.Steps))); err != nil {
			return err
		}
		if _, err := c.tenants[0].Submit(ctx, stream.Name, ""); err != nil {
			return err
		}
	}
	return ctx.Err()
}
