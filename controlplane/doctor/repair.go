package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Run names a run.
type Run struct{ Org, ID id.UUID }

// Repaired is what a repair came to.
type Repaired struct {
	// Found are all differences, before.
	Found []Difference
	// Runs are those whose queue and timers were written anew.
	Runs []Run
	// Left are the differences that are there still.
	Left []Difference
}

// Repair examines the database, has the queue and the timers of the runs written
// anew that do not stand as their journals say, and examines it again. It cannot
// bring back leases, nor does it touch journals, runs or the bill.
func Repair(ctx context.Context, db *pg.DB, anew func(ctx context.Context, run Run) error) (Repaired, error) {
	c, err := check(ctx, db)
	if err != nil {
		return Repaired{}, err
	}
	out := Repaired{Found: c.all()}
	for _, run := range c.misplaced {
		if e := anew(ctx, run); e != nil {
			err = errors.Join(err, fmt.Errorf("repair %s: %w", id.Format(id.Run, run.ID), e))
			continue
		}
		out.Runs = append(out.Runs, run)
	}
	left, e := Check(ctx, db)
	out.Left = left
	return out, errors.Join(err, e)
}
