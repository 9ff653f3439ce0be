package pricebook

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
)

const sqlReadPlan = `
	SELECT p.version AS book, p.plan, p.title, p.base_nano_usd AS base
	FROM price_plan p
	WHERE p.version = @version
		AND p.plan = @plan`

const sqlReadTiers = `
	SELECT t.meter, t.per, t.from_quantity, t.nano_usd
	FROM price_tier t
	WHERE t.version = @version
		AND t.plan = @plan
	ORDER BY t.meter, t.from_quantity`

type foundPlan struct {
	Book  int32
	Plan  string
	Title string
	Base  rating.NanoUSD
}

type foundTier struct {
	Meter        usage.Meter
	Per          int64
	FromQuantity int64
	NanoUSD      rating.NanoUSD
}

// ReadCard returns what a plan costs by a version of the price book, its meters
// in the order of usage.Meters. tx may be of any role. An error means that there
// is no such card, or a broken one.
func ReadCard(ctx context.Context, tx pgx.Tx, version int32, plan string) (rating.Card, error) {
	args := pgx.StrictNamedArgs{"version": version, "plan": plan}
	rows, _ := tx.Query(ctx, sqlReadPlan, args)
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[foundPlan])
	if err != nil {
		return rating.Card{}, fmt.Errorf("read plan %s of price book %d: %w", plan, version, err)
	}
	rows, _ = tx.Query(ctx, sqlReadTiers, args)
	tiers, err := pgx.CollectRows(rows, pgx.RowToStructByName[foundTier])
	if err != nil {
		return rating.Card{}, fmt.Errorf("read the prices of plan %s: %w", plan, err)
	}
	card := rating.Card{Book: found.Book, Plan: found.Plan, Title: found.Title, Base: found.Base}
	if card.Prices, err = prices(tiers); err != nil {
		return rating.Card{}, fmt.Errorf("read the prices of plan %s: %w", plan, err)
	}
	if err := card.Validate(); err != nil {
		return rating.Card{}, fmt.Errorf("price book %d: %w", version, err)
	}
	return card, nil
}

// prices puts the tiers, which come sorted, under their meters.
func prices(tiers []foundTier) ([]rating.Price, error) {
	var out []rating.Price
	for _, t := range tiers {
		n := len(out)
		if n == 0 || out[n-1].Meter != t.Meter {
			out = append(out, rating.Price{Meter: t.Meter, Per: t.Per})
			n++
		}
		if out[n-1].Per != t.Per {
			return nil, fmt.Errorf("the tiers of %s are quoted for %d and for %d units", t.Meter, out[n-1].Per, t.Per)
		}
		out[n-1].Tiers = append(out[n-1].Tiers, rating.Tier{From: t.FromQuantity, Nano: t.NanoUSD})
	}
	order := usage.Meters()
	slices.SortFunc(out, func(x, y rating.Price) int { return slices.Index(order, x.Meter) - slices.Index(order, y.Meter) })
	return out, nil
}
