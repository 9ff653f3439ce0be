package pricebook_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/billing/pricebook"
	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

const (
	minute = 60_000
	hour   = 60 * minute
)

func prices(runs, tasks []rating.Tier) []rating.Price {
	return []rating.Price{
		{Meter: usage.MeterRuns, Per: 1, Tiers: runs},
		{Meter: usage.MeterTaskAttempts, Per: 1, Tiers: []rating.Tier{{}}},
		{Meter: usage.MeterTaskMS, Per: minute, Tiers: tasks},
		{Meter: usage.MeterGPUMS, Per: hour, Tiers: []rating.Tier{{}}},
	}
}

// TestVersionOneIsWhatWasDecided holds the seed of the table: prices are public,
// and a slip in a zero is an invoice.
func TestVersionOneIsWhatWasDecided(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	want := []rating.Card{
		{Book: 1, Plan: "free", Title: "Free", Prices: prices(
			[]rating.Tier{{From: 500}},
			[]rating.Tier{{From: 5_000 * minute}},
		)},
		{Book: 1, Plan: "team", Title: "Team", Base: 99_000_000_000, Prices: prices(
			[]rating.Tier{{From: 1_000, Nano: 20_000_000}},
			[]rating.Tier{{From: 100_000 * minute, Nano: 400_000}},
		)},
		{Book: 1, Plan: "business", Title: "Business", Base: 499_000_000_000, Prices: prices(
			[]rating.Tier{{From: 10_000, Nano: 15_000_000}},
			[]rating.Tier{{From: 1_000_000 * minute, Nano: 300_000}, {From: 10_000_000 * minute, Nano: 200_000}},
		)},
	}
	require.NoError(t, pg.InTenantRead(t.Context(), db.API, id.New(), func(tx pgx.Tx) error {
		for _, card := range want {
			got, err := pricebook.ReadCard(t.Context(), tx, 1, card.Plan)
			require.NoError(t, err)
			require.Equal(t, card, got)
		}
		return nil
	}))
	var cards int
	require.NoError(t, db.Engine.QueryRow(t.Context(), `SELECT count(*) FROM price_plan`).Scan(&cards))
	require.Len(t, want, cards, "a new version of the price book belongs here as well")
}

func TestAMissingOrBrokenCardIsAnError(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	read := func(version int32, plan string) (err error) {
		return pg.InSystem(t.Context(), db.Engine, func(tx pgx.Tx) error {
			_, err = pricebook.ReadCard(t.Context(), tx, version, plan)
			return err
		})
	}
	require.ErrorContains(t, read(2, "team"), "read plan team of price book 2")
	_, err := pgtest.Super(t, db.URL()).Exec(t.Context(), `
		INSERT INTO price_plan (version, plan, title, base_nano_usd, valid_from) VALUES (2, 'team', 'Team', 0, now()), (2, 'free', 'Free', 0, now());
		INSERT INTO price_tier (version, plan, meter, from_quantity, nano_usd, per)
		VALUES (2, 'team', 'runs', 0, 0, 1), (2, 'free', 'runs', 0, 0, 1), (2, 'free', 'runs', 1, 0, 2)`)
	require.NoError(t, err)
	require.ErrorContains(t, read(2, "team"), "no price for")
	require.ErrorContains(t, read(2, "free"), "quoted for 1 and for 2 units")
}

func TestPricesAreWrittenByMigrationsAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	for _, sql := range []string{`UPDATE price_plan SET base_nano_usd = 0`, `DELETE FROM price_tier`, `DELETE FROM subscription`} {
		_, err := db.Engine.Exec(t.Context(), sql)
		require.True(t, pg.Denied(err), sql)
		require.True(t, pg.Denied(pg.InTenant(t.Context(), db.API, id.New(), func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), sql)
			return err
		})), sql)
	}
}

// organization is one that was made at a moment, on a database of its own.
type organization struct {
	t  *testing.T
	db *pg.DB
	id id.UUID
}

func found(t *testing.T, at time.Time) organization {
	t.Helper()
	o := organization{t, pgtest.DB(t), id.New()}
	o.exec(`INSERT INTO organization (org_id, slug, name, created_at) VALUES (@org, 'acme', 'Acme', @at)`, pgx.NamedArgs{"org": o.id, "at": at})
	return o
}

func (o organization) exec(sql string, args pgx.NamedArgs) {
	o.t.Helper()
	require.NoError(o.t, pg.InTenant(o.t.Context(), o.db.API, o.id, func(tx pgx.Tx) error {
		_, err := tx.Exec(o.t.Context(), sql, args)
		return err
	}))
}

// order is what sees the money, not the organization itself.
func (o organization) order(sql string, args pgx.NamedArgs) {
	o.t.Helper()
	_, err := o.db.Engine.Exec(o.t.Context(), sql, args)
	require.NoError(o.t, err)
}

func (o organization) subscriptions(in rating.Period) (list []pricebook.Subscription) {
	o.t.Helper()
	require.NoError(o.t, pg.InTenantRead(o.t.Context(), o.db.API, o.id, func(tx pgx.Tx) (err error) {
		list, err = pricebook.Subscriptions(o.t.Context(), tx, o.id, in)
		return err
	}))
	return list
}

func TestSubscriptionsFollowThePlan(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	o := found(t, now.Add(-time.Hour).Truncate(time.Second))
	in := rating.Period{Start: now.Add(-24 * time.Hour), End: now.Add(24 * time.Hour)}

	list := o.subscriptions(in)
	require.Len(t, list, 1)
	require.Equal(t, "free", list[0].Card.Plan)
	require.Equal(t, rating.Period{Start: now.Add(-time.Hour).Truncate(time.Second), End: in.End}, list[0].Period)

	o.order(`UPDATE organization SET plan = 'free', name = 'Acme & Co'`, nil)
	require.Len(t, o.subscriptions(in), 1, "nothing changed")

	o.order(`UPDATE organization SET plan = 'team'`, nil)
	o.order(`UPDATE organization SET plan = 'business'`, nil)
	list = o.subscriptions(in)
	require.Len(t, list, 3)
	for i, plan := range []string{"free", "team", "business"} {
		require.Equal(t, plan, list[i].Card.Plan)
		if i > 0 {
			require.Equal(t, list[i-1].End, list[i].Start, "no moment without a card")
		}
	}
	require.Equal(t, in.End, list[2].End)

	later := rating.Period{Start: in.End, End: in.End.Add(time.Hour)}
	list = o.subscriptions(later)
	require.Len(t, list, 1)
	require.Equal(t, later, list[0].Period)
	require.Empty(t, o.subscriptions(rating.Period{Start: now.Add(-3 * time.Hour), End: now.Add(-2 * time.Hour)}), "before it was founded")
}

// TestNewPricesReachNewSubscriptionsOnly also covers a version whose time has
// not come.
func TestNewPricesReachNewSubscriptionsOnly(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	o := found(t, now.Add(-time.Hour))
	_, err := pgtest.Super(t, o.db.URL()).Exec(t.Context(), `
		INSERT INTO price_plan (version, plan, title, base_nano_usd, valid_from)
		SELECT v, plan, title, base_nano_usd, now() + (v - 2) * interval '1 hour' FROM price_plan, generate_series(2, 3) AS v;
		INSERT INTO price_tier (version, plan, meter, from_quantity, nano_usd, per)
		SELECT v, plan, meter, from_quantity, nano_usd, per FROM price_tier, generate_series(2, 3) AS v`)
	require.NoError(t, err)
	o.order(`UPDATE organization SET plan = 'team'`, nil)
	list := o.subscriptions(rating.Period{Start: now.Add(-24 * time.Hour), End: now.Add(24 * time.Hour)})
	require.Len(t, list, 2)
	require.EqualValues(t, 1, list[0].Card.Book)
	require.EqualValues(t, 2, list[1].Card.Book)
}

func TestSubscriptionsOfOthersAreNotSeen(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	o := found(t, now.Add(-time.Hour))
	stranger := organization{t, o.db, id.New()}
	require.Empty(t, stranger.subscriptions(rating.MonthOf(now)))
	require.Error(t, pg.InTenant(t.Context(), o.db.API, stranger.id, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO subscription (org_id, plan, price_book, starts_at) VALUES (@org, 'business', 1, now())`, pgx.NamedArgs{"org": o.id})
		return err
	}))
}
