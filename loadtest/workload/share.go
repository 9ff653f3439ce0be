package workload

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/signalboxhq/signalbox/loadtest/driver"
	"github.com/signalboxhq/signalbox/loadtest/report"
)

// ahead is how many steps of the large team are done before the small one comes:
// both lanes are known by then, and how long a step takes.
const ahead = 50

// share is the fairness of a pool: a small team submits its run behind a large
// one's, and each of its leases has a position among all that follow.
func (c *crew) share(ctx context.Context) ([]report.Point, error) {
	s := c.bench.Scenario
	tenant := c.tenants[0]
	large := driver.Graph{Name: "large", Team: "a", Steps: make([]driver.Step, s.Steps+ahead), SpecBytes: s.SpecBytes}
	small := driver.Graph{Name: "small", Team: "b", Steps: make([]driver.Step, s.Width), SpecBytes: s.SpecBytes}
	if err := tenant.Share(ctx, driver.Sharing{Teams: true}); err != nil {
		return nil, err
	}
	for _, g := range []driver.Graph{large, small} {
		if err := tenant.Deploy(ctx, g); err != nil {
			return nil, err
		}
	}
	if err := c.staff(ctx, 0, s.Agents.Count); err != nil {
		return nil, err
	}
	begin := time.Now()
	theirs, err := tenant.Submit(ctx, large.Name, "")
	if err != nil {
		return nil, err
	}
	if err := c.drain(ctx, ahead); err != nil {
		return nil, err
	}
	mine, err := tenant.Submit(ctx, small.Name, "")
	if err != nil {
		return nil, err
	}
	events, err := c.tally.await(ctx, mine)
	if err != nil {
		return nil, err
	}
	if err := c.drain(ctx, int64(len(large.Steps)+len(small.Steps))); err != nil {
		return nil, err
	}
	p := report.Point{
		Name: strconv.Itoa(s.Width) + " steps behind " + strconv.Itoa(s.Steps), X: float64(s.Width), Runs: 2,
		Steps: int64(len(large.Steps) + len(small.Steps)), Positions: positions(events, c.tally.soFar(theirs)),
	}
	p.Rate = float64(p.Steps) / time.Since(begin).Seconds()
	return []report.Point{p}, nil
}

// positions are those of mine among mine and theirs by the time of the lease,
// counted from the first of mine, which is 1.
func positions(mine, theirs []driver.Event) []int {
	byLease := func(a, b driver.Event) int { return cmp.Compare(a.Leased, b.Leased) }
	mine, theirs = slices.SortedFunc(slices.Values(mine), byLease), slices.SortedFunc(slices.Values(theirs), byLease)
	out := make([]int, 0, len(mine))
	for i, e := range mine {
		between := 0
		for _, o := range theirs {
			if o.Leased > mine[0].Leased && o.Leased < e.Leased {
				between++
			}
		}
		out = append(out, i+1+between)
	}
	return out
}
