package workload

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/loadtest/report"
)

// bulk is W1: every tenant has so many wide runs going until enough steps are
// done in all.
func (c *crew) bulk(ctx context.Context) ([]report.Point, error) {
	s := c.bench.Scenario
	for i := range c.tenants {
		if _, err := c.once(ctx, i); err != nil { // warm: plans are fetched, statements prepared
			return nil, err
		}
	}
	var points []report.Point
	for _, atOnce := range s.AtOnce {
		p := report.Point{Name: strconv.Itoa(atOnce) + " runs a tenant", X: float64(atOnce)}
		total := int64(max(1, s.Steps/s.Width))
		var begun atomic.Int64
		err := c.stretch(ctx, &p, func() error {
			begin := time.Now()
			group, ctx := errgroup.WithContext(ctx)
			for i := range atOnce * len(c.tenants) {
				group.Go(func() error {
					for begun.Add(1) <= total {
						if _, err := c.once(ctx, i); err != nil {
							return err
						}
					}
					return nil
				})
			}
			err := group.Wait()
			p.Runs, p.Steps = total, total*int64(s.Width)
			p.Rate = float64(p.Steps) / time.Since(begin).Seconds()
			return err
		})
		if err != nil {
			return nil, err
		}
		points = append(points, p)
	}
	return points, nil
}
