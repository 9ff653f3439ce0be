package workload

import (
	"context"
	"errors"
	"log/slog"

	"github.com/signalboxhq/signalbox/loadtest/driver"
)

// shapeWidth is how many steps the runs have that a shape is made of.
const shapeWidth = 500

// shape fills the database as the scenario says: one run of each kind goes the
// usual way, and the driver copies it.
func (c *crew) shape(ctx context.Context) error {
	s := c.bench.Scenario.Shape
	if c.bench.Filled || !s.Filled() {
		return c.idlers(ctx, s.IdleAgents)
	}
	shaper, ok := c.bench.Driver.(driver.Shaper)
	if !ok {
		return errors.New("this driver cannot fill its database")
	}
	c.bench.Log.LogAttrs(ctx, slog.LevelInfo, "filling the database", slog.Any("shape", s))
	if s.Finished > 0 {
		if err := c.finished(ctx, shaper, s.Finished); err != nil {
			return err
		}
	}
	if s.Queued > 0 {
		run, err := c.submitWide(ctx, "waiting", true)
		if err != nil {
			return err
		}
		if err := shaper.Queue(ctx, run, max(0, s.Queued/shapeWidth-1)); err != nil {
			return err
		}
	}
	if err := shaper.Crowd(ctx, s.Tenants); err != nil {
		return err
	}
	return c.idlers(ctx, s.IdleAgents)
}

// submitWide submits a run of the width of shapes.
func (c *crew) submitWide(ctx context.Context, name string, apart bool) (string, error) {
	g := driver.Graph{Name: name, Apart: apart, Steps: make([]driver.Step, shapeWidth), SpecBytes: c.bench.Scenario.SpecBytes}
	if err := c.tenants[0].Deploy(ctx, g); err != nil {
		return "", err
	}
	return c.tenants[0].Submit(ctx, name, "")
}

// finished has the first tenant's agents do one wide run, and copies it.
func (c *crew) finished(ctx context.Context, shaper driver.Shaper, steps int) error {
	before := c.tally.steps.Load()
	run, err := c.submitWide(ctx, "done", false)
	if err != nil {
		return err
	}
	if err := c.drain(ctx, before+shapeWidth); err != nil {
		return err
	}
	c.tally.forget(run)
	return shaper.Finish(ctx, run, max(0, steps/shapeWidth-1))
}

// idlers connects agents of a tenant that submits nothing.
func (c *crew) idlers(ctx context.Context, count int) error {
	if count == 0 {
		return nil
	}
	tenant, err := c.bench.Driver.Tenant(ctx, "idle")
	if err != nil {
		return err
	}
	fleet, err := tenant.Work(ctx, driver.Workers{Count: count, Slots: 1, ReportBatch: 1}, func([]driver.Event) {})
	if err != nil {
		return err
	}
	c.fleets = append(c.fleets, fleet)
	c.helpers["idle"] = fleet.PID()
	return nil
}
