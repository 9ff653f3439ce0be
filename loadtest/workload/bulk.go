package workload

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	"github.com/signalboxhq/signalbox/loadtest/report"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
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
	graphs, err := c.leavings(ctx)
	if err != nil {
		return nil, err
	}
	var points []report.Point
	for _, atOnce := range s.AtOnce {
		for _, condition := range conditions(s) {
			p := report.Point{Name: strconv.Itoa(atOnce) + " runs a tenant", X: float64(atOnce), Condition: condition}
			if len(s.Under) > 0 {
				p.Name += ", " + string(condition)
			}
			c.graph = graphs[condition]
			err := c.under(ctx, condition, func() error {
				return c.stretch(ctx, &p, func() error { return c.bulkPoint(ctx, &p, atOnce) })
			})
			if err != nil {
				return nil, err
			}
			points = append(points, p)
		}
	}
	return points, nil
}

// bulkPoint keeps so many runs a tenant going until all steps are done.
func (c *crew) bulkPoint(ctx context.Context, p *report.Point, atOnce int) error {
	s := c.bench.Scenario
	total := int64(max(1, s.Steps/s.Width))
	var begun atomic.Int64
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
}

// left is what steps leave under the conditions that are about it.
var left = map[scenario.Condition]driver.Leaving{
	scenario.SealedValues: driver.SealedValue, scenario.NoValues: driver.NoValue,
}

// leavings are the graphs by the conditions of the scenario: under some, steps
// leave something else. Each is done once before it is measured.
func (c *crew) leavings(ctx context.Context) (map[scenario.Condition]driver.Graph, error) {
	usual, graphs := c.graph, map[scenario.Condition]driver.Graph{}
	defer func() { c.graph = usual }()
	for _, condition := range conditions(c.bench.Scenario) {
		graphs[condition] = usual
		leaves, other := left[condition]
		if !other {
			continue
		}
		c.graph.Name, c.graph.Leaves = strings.ReplaceAll(string(condition), " ", "-"), leaves
		graphs[condition] = c.graph
		for i, tenant := range c.tenants {
			if err := tenant.Deploy(ctx, c.graph); err != nil {
				return nil, err
			}
			if _, err := c.once(ctx, i); err != nil {
				return nil, err
			}
		}
	}
	return graphs, nil
}

func conditions(s scenario.Scenario) []scenario.Condition {
	if len(s.Under) == 0 {
		return []scenario.Condition{scenario.Undisturbed}
	}
	return s.Under
}

// under does something while a condition holds.
func (c *crew) under(ctx context.Context, condition scenario.Condition, do func() error) error {
	if _, steps := left[condition]; steps || condition == scenario.Undisturbed {
		return do()
	}
	begin := c.bench.Conditions[condition]
	if begin == nil {
		return fmt.Errorf("nobody knows how to have %q", condition)
	}
	undo, err := begin(ctx)
	if err != nil {
		return fmt.Errorf("have %q: %w", condition, err)
	}
	return errors.Join(do(), undo())
}
