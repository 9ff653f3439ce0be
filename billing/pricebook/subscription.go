package pricebook

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Subscription is a stretch of time in which an organization paid by one card.
type Subscription struct {
	ID int64
	rating.Period

	Card rating.Card
}

// A subscription that was replaced in the moment it began has no time in it.
const sqlListSubscriptions = `
	SELECT s.id, s.plan, s.price_book, s.starts_at, s.ends_at
	FROM subscription s
	WHERE s.org_id = @org_id
		AND s.starts_at < @until
		AND (s.ends_at IS NULL OR s.ends_at > @since AND s.ends_at > s.starts_at)
	ORDER BY s.starts_at, s.id`

type foundSubscription struct {
	ID        int64
	Plan      string
	PriceBook int32
	StartsAt  time.Time
	EndsAt    *time.Time
}

// Subscriptions returns those of an organization that were in force in the
// period, the oldest first, each cut to the period. One that has not ended lasts
// to the period's end. tx is the organization's own, or of the engine's role.
func Subscriptions(ctx context.Context, tx pgx.Tx, org id.UUID, in rating.Period) ([]Subscription, error) {
	rows, _ := tx.Query(ctx, sqlListSubscriptions, pgx.StrictNamedArgs{"org_id": org, "since": in.Start, "until": in.End})
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[foundSubscription])
	if err != nil {
		return nil, fmt.Errorf("list subscriptions: %w", err)
	}
	list := make([]Subscription, len(found))
	for i, f := range found {
		card, err := ReadCard(ctx, tx, f.PriceBook, f.Plan)
		if err != nil {
			return nil, err
		}
		list[i] = Subscription{ID: f.ID, Period: cut(f, in), Card: card}
	}
	return list, nil
}

func cut(f foundSubscription, in rating.Period) rating.Period {
	p := rating.Period{Start: f.StartsAt.UTC(), End: in.End}
	if p.Start.Before(in.Start) {
		p.Start = in.Start
	}
	if f.EndsAt != nil && f.EndsAt.Before(p.End) {
		p.End = f.EndsAt.UTC()
	}
	return p
}
