package billingdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/billing/pricebook"
	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Currency is what every price is quoted in.
const Currency = "USD"

// Preview is what a month's invoice would be if it ended now.
type Preview struct {
	AsOf time.Time
	// Plan and Book are those of the month's last card; empty and 0 where
	// nothing was subscribed.
	Plan string
	Book int32

	Lines []rating.Line
	// Cents is the sum of the lines' cents.
	Cents int64
}

// Usage is rated by the card that was in force when it was recorded, or at the
// end of the hour that it belongs to if that came first. A correction follows
// the row that it reverses.
const sqlUsageBySubscription = `
	SELECT s.id AS subscription, u.meter, sum(u.quantity)::bigint AS quantity
	FROM usage u
	LEFT JOIN usage o ON u.kind = 'correction' AND o.org_id = u.org_id AND o.id = u.reverses
	CROSS JOIN LATERAL (
		SELECT least(greatest(coalesce(o.recorded_at, u.recorded_at), u.hour), u.hour + interval '59 minutes 59.999999 seconds') AS at
	) m
	LEFT JOIN subscription s ON s.org_id = u.org_id AND s.starts_at <= m.at AND (s.ends_at IS NULL OR s.ends_at > m.at)
	WHERE u.org_id = @org_id
		AND u.hour >= @since
		AND u.hour < @until
	GROUP BY s.id, u.meter`

type subscriptionSum struct {
	Subscription *int64
	Meter        usage.Meter
	Quantity     int64
}

// Preview rates a month by the function that rates invoices.
func (s *Store) Preview(ctx context.Context, by caller.Caller, month rating.Period) (Preview, error) {
	out := Preview{AsOf: s.now()}
	err := pg.InTenantRead(ctx, s.db.API, by.OrgID, func(tx pgx.Tx) error {
		parts, err := readParts(ctx, tx, by.OrgID, month)
		if err != nil {
			return err
		}
		if n := len(parts); n > 0 {
			out.Plan, out.Book = parts[n-1].Card.Plan, parts[n-1].Card.Book
		}
		if out.Lines, err = rating.Rate(month, parts); err != nil {
			return fmt.Errorf("rate %s: %w", month, err)
		}
		out.Cents = rating.Total(out.Lines)
		return nil
	})
	return out, err
}

func readParts(ctx context.Context, tx pgx.Tx, org id.UUID, month rating.Period) ([]rating.Part, error) {
	subscriptions, err := pricebook.Subscriptions(ctx, tx, org, month)
	if err != nil {
		return nil, err
	}
	rows, _ := tx.Query(ctx, sqlUsageBySubscription, pgx.StrictNamedArgs{"org_id": org, "since": month.Start, "until": month.End})
	sums, err := pgx.CollectRows(rows, pgx.RowToStructByName[subscriptionSum])
	if err != nil {
		return nil, fmt.Errorf("sum usage by subscription: %w", err)
	}
	if len(subscriptions) == 0 && len(sums) > 0 {
		return nil, errors.New("there is usage in a month without a subscription")
	}
	parts, index := make([]rating.Part, len(subscriptions)), map[int64]int{}
	for i, s := range subscriptions {
		parts[i] = rating.Part{Period: s.Period, Card: s.Card, Used: map[usage.Meter]int64{}}
		index[s.ID] = i
	}
	for _, sum := range sums {
		// What came before the first subscription is rated by it.
		i := 0
		if sum.Subscription != nil {
			i = index[*sum.Subscription]
		}
		parts[i].Used[sum.Meter] += sum.Quantity
	}
	return parts, nil
}
