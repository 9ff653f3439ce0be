// Package workload is what is done to an orchestrator, and what is written down
// of it: the workloads of the design by their names. It knows the orchestrator
// by driver.Driver only.
package workload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	"github.com/signalboxhq/signalbox/loadtest/measure"
	"github.com/signalboxhq/signalbox/loadtest/report"
	"github.com/signalboxhq/signalbox/loadtest/scenario"
)

// Bench is one run of one scenario.
type Bench struct {
	Scenario scenario.Scenario
	Driver   driver.Driver
	// Probe measures what each point takes.
	Probe Probe
	Log   *slog.Logger
	// Conditions disturb the database; what each returns ends that.
	Conditions map[scenario.Condition]func(ctx context.Context) (undo func() error, err error)
	// Kills end parts of the orchestrator as crashes do, and bring them back.
	Kills map[scenario.Fault]func(ctx context.Context) error
	// Server is what Restart ends and begins again.
	Server Restarter
	// Filled says that Fill has been there: the shape needs no more than its agents.
	Filled bool
	// Watch looks closer at each point meanwhile; nil looks not.
	Watch Watcher
}

// Probe measures stretches of time.
type Probe interface {
	// Begin starts a stretch, during which the helpers' CPU is not foreign. End
	// measures it, with the rows that were written if these are wanted.
	Begin(ctx context.Context, helpers map[string]int) (end func(ctx context.Context, rows bool) (measure.Usage, error), err error)
}

// Restarter is a process that can be ended as crashes do, and begun again: Start
// returns when it is healthy.
type Restarter interface {
	Kill() error
	Start(ctx context.Context) error
}

// Watcher looks closer at a point than its figures do. What it costs is in them.
type Watcher interface {
	// Begin starts to look; end writes down what was seen.
	Begin(ctx context.Context, point string) (end func() error, err error)
}

// crew is the tenants of a bench with their agents.
type crew struct {
	bench   *Bench
	graph   driver.Graph
	tenants []driver.Tenant
	fleets  []driver.Fleet
	tally   *tally
	helpers map[string]int // their processes
}

// drainFor bounds how long work that was submitted may take to be done.
const drainFor = 2 * time.Minute

// Run does what the scenario says.
func (b *Bench) Run(ctx context.Context) ([]report.Point, error) {
	c, err := b.hire(ctx)
	if err != nil {
		return nil, err
	}
	defer c.dismiss()
	switch b.Scenario.Workload {
	case scenario.Bulk:
		return c.bulk(ctx)
	case scenario.Submit:
		return c.submits(ctx)
	case scenario.Latency:
		return c.latencies(ctx)
	case scenario.Chain, scenario.Fan, scenario.Map:
		return c.closed(ctx)
	case scenario.Flood:
		return c.flood(ctx)
	case scenario.Faults:
		return c.faults(ctx)
	case scenario.Idle:
		return c.idle(ctx)
	case scenario.Restart:
		return c.restart(ctx)
	case scenario.Share:
		return c.share(ctx)
	case scenario.Gang:
		return c.gangs(ctx)
	}
	return nil, fmt.Errorf("workload %q is unknown", b.Scenario.Workload)
}

// Graph is the shape of the workload's runs.
func (b *Bench) Graph() driver.Graph {
	s := b.Scenario
	g := driver.Graph{Name: string(s.Workload), SpecBytes: s.SpecBytes}
	switch s.Workload {
	case scenario.Bulk, scenario.Faults, scenario.Restart, scenario.Share:
		g.Steps = make([]driver.Step, s.Width)
	case scenario.Flood:
		if g.Steps = make([]driver.Step, s.Width); s.Items > 0 {
			g.Steps, g.Items = make([]driver.Step, 1), s.Items
		}
	case scenario.Submit, scenario.Latency, scenario.Idle:
		g.Steps = make([]driver.Step, 1)
	case scenario.Gang:
		g.Steps, g.Gang = make([]driver.Step, 1), s.Width
	case scenario.Map:
		g.Steps, g.Items = make([]driver.Step, 1), s.Width
	case scenario.Chain:
		g.Steps = make([]driver.Step, s.Length)
		for i := 1; i < s.Length; i++ {
			g.Steps[i].Needs = []int{i - 1}
		}
	case scenario.Fan:
		g.Steps = make([]driver.Step, s.Width+2)
		for i := range s.Width {
			g.Steps[i+1].Needs = []int{0}
			g.Steps[s.Width+1].Needs = append(g.Steps[s.Width+1].Needs, i+1)
		}
	}
	return g
}

// hire makes the tenants, deploys the graph and starts the agents.
func (b *Bench) hire(ctx context.Context) (*crew, error) {
	c := &crew{bench: b, graph: b.Graph(), helpers: map[string]int{}}
	c.tally = newTally(c.graph.Attempts())
	for i := range b.Scenario.Tenants {
		tenant, err := b.Driver.Tenant(ctx, "tenant"+strconv.Itoa(i+1))
		if err == nil {
			err = tenant.Deploy(ctx, c.graph)
		}
		if err == nil {
			c.tenants = append(c.tenants, tenant)
			err = c.ready(ctx, i)
		}
		if err != nil {
			c.dismiss()
			return nil, err
		}
	}
	if err := c.shape(ctx); err != nil {
		c.dismiss()
		return nil, err
	}
	return c, nil
}

// Fill makes the scenario's tenants and fills the database as its shape says. What
// it leaves may be copied, and each copy be measured.
func (b *Bench) Fill(ctx context.Context) error {
	filling := *b
	filling.Scenario.Shape.IdleAgents = 0
	c, err := filling.hire(ctx)
	if err != nil {
		return err
	}
	c.dismiss()
	return nil
}

// ready starts a tenant's agents, unless the workload does so itself.
func (c *crew) ready(ctx context.Context, tenant int) error {
	s := c.bench.Scenario
	if s.Workload == scenario.Restart || s.Workload == scenario.Share || s.Workload == scenario.Gang {
		return nil
	}
	return c.staff(ctx, tenant, s.Agents.Count)
}

// staff starts so many more agents of a tenant.
func (c *crew) staff(ctx context.Context, tenant, count int) error {
	if count == 0 {
		return nil
	}
	a := c.bench.Scenario.Agents
	fleet, err := c.tenants[tenant].Work(ctx, driver.Workers{
		Count: count, Slots: a.Slots, Step: time.Duration(a.Step), Spread: c.bench.Scenario.Workload == scenario.Gang, ResultBytes: c.bench.Scenario.ResultBytes, ReportBatch: a.ReportBatch,
	}, c.tally.told)
	if err != nil {
		return err
	}
	c.fleets = append(c.fleets, fleet)
	c.helpers["agents"+strconv.Itoa(len(c.fleets))] = fleet.PID()
	return nil
}

func (c *crew) dismiss() {
	for _, f := range c.fleets {
		_ = f.Stop()
	}
}

// once has a tenant do one run and returns its steps.
func (c *crew) once(ctx context.Context, tenant int) ([]driver.Event, error) {
	id, err := c.tenants[tenant%len(c.tenants)].Submit(ctx, c.graph.Name, "")
	if err != nil {
		return nil, err
	}
	return c.tally.await(ctx, id)
}

// drain waits until so many steps were told in all.
func (c *crew) drain(ctx context.Context, steps int64) error {
	if len(c.fleets) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, drainFor)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for c.tally.steps.Load() < steps {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%d of %d steps were done", c.tally.steps.Load(), steps), ctx.Err())
		}
	}
	return nil
}

// counts is what all fleets tell beside the steps.
func (c *crew) counts() driver.Counts {
	var sum driver.Counts
	for _, f := range c.fleets {
		sum = sum.Plus(f.Counts())
	}
	return sum
}

// stretch measures what do does and says so.
func (c *crew) stretch(ctx context.Context, p *report.Point, do func() error) error {
	before := c.counts()
	measured, err := c.bench.Probe.Begin(ctx, c.helpers)
	if err != nil {
		return err
	}
	end := func() error { return nil }
	if c.bench.Watch != nil {
		if end, err = c.bench.Watch.Begin(ctx, p.Name); err != nil {
			return err
		}
	}
	if err := errors.Join(do(), end()); err != nil {
		return err
	}
	rows := slices.Contains(c.bench.Scenario.CountRows, int(p.X))
	if p.Usage, err = measured(ctx, rows); err != nil {
		return err
	}
	p.Agents = c.counts().Less(before)
	c.bench.Log.LogAttrs(ctx, slog.LevelInfo, "measured", slog.String("scenario", c.bench.Scenario.Name), slog.String("point", p.Name),
		slog.Float64("per_second", p.Rate), slog.Float64("cpu_us_per_step", p.CPUPerStep()), slog.Float64("foreign_cores", p.Usage.ForeignCores))
	return nil
}
