package billingdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Quantities has what was used of each meter, in the meter's units; what is
// missing is 0.
type Quantities map[usage.Meter]int64

// Usage is what an organization used in a month.
type Usage struct {
	AsOf   time.Time
	Totals Quantities
	Groups []Group // by key
}

// Group is the part of a usage that has one value of a dimension.
type Group struct {
	Key  string
	Used Quantities
}

// The usage of a month. It counts in the hour in which an attempt ended, so a
// report that comes late changes an older month.
const usageOfMonth = `
	FROM usage u
	WHERE u.org_id = @org_id
		AND u.hour >= @since
		AND u.hour < @until`

const sqlSumUsage = `
	SELECT u.meter, sum(u.quantity)::bigint AS quantity` + usageOfMonth + `
	GROUP BY u.meter`

type foundSum struct {
	Meter    usage.Meter
	Quantity int64
}

// Usage sums the meters of a month, in total and by a dimension. The groups add
// up to the totals.
func (s *Store) Usage(ctx context.Context, by caller.Caller, month rating.Period, d Dimension) (Usage, error) {
	out := Usage{AsOf: s.now(), Totals: Quantities{}}
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) (err error) {
		args := pgx.StrictNamedArgs{"org_id": by.OrgID, "since": month.Start, "until": month.End}
		rows, _ := tx.Query(ctx, sqlSumUsage, args)
		sums, err := pgx.CollectRows(rows, pgx.RowToStructByName[foundSum])
		if err != nil {
			return fmt.Errorf("sum usage: %w", err)
		}
		for _, sum := range sums {
			out.Totals[sum.Meter] = sum.Quantity
		}
		out.Groups, err = groups(ctx, tx, args, d)
		return err
	})
	return out, err
}
