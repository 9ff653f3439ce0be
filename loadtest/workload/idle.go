package workload

import (
	"context"
	"strconv"
	"time"

	"github.com/signalboxhq/signalbox/loadtest/report"
)

// idle is W9: agents wait for work that does not come.
func (c *crew) idle(ctx context.Context) ([]report.Point, error) {
	s := c.bench.Scenario
	var points []report.Point
	online := s.Agents.Count * len(c.tenants)
	for _, agents := range s.AtOnce {
		if err := c.staff(ctx, 0, agents-online); err != nil {
			return nil, err
		}
		online = agents
		if err := wait(ctx, time.Duration(s.Warmup)); err != nil {
			return nil, err
		}
		p := report.Point{Name: strconv.Itoa(agents) + " agents", X: float64(agents)}
		if err := c.stretch(ctx, &p, func() error { return wait(ctx, time.Duration(s.Duration)) }); err != nil {
			return nil, err
		}
		points = append(points, p)
	}
	return points, nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
