package rating_test

import (
	"time"

	"github.com/signalboxhq/signalbox/billing/rating"
	"github.com/signalboxhq/signalbox/billing/usage"
)

const (
	minute = 60_000 // milliseconds
	hour   = 60 * minute
)

// november is a month of 30 days.
var november = rating.MonthOf(time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC))

// prices are those of version 1, as far as plans differ; the seed of the table
// is compared with them by billing/pricebook.
func prices(runs, tasks []rating.Tier) []rating.Price {
	free := []rating.Tier{{From: 0, Nano: 0}}
	return []rating.Price{
		{Meter: usage.MeterRuns, Per: 1, Tiers: runs},
		{Meter: usage.MeterTaskMS, Per: minute, Tiers: tasks},
		{Meter: usage.MeterTaskAttempts, Per: 1, Tiers: free},
		{Meter: usage.MeterGPUMS, Per: hour, Tiers: free},
	}
}

func freeCard() rating.Card {
	return rating.Card{Book: 1, Plan: "free", Title: "Free", Prices: prices(
		[]rating.Tier{{From: 500, Nano: 0}},
		[]rating.Tier{{From: 5_000 * minute, Nano: 0}},
	)}
}

func teamCard() rating.Card {
	return rating.Card{Book: 1, Plan: "team", Title: "Team", Base: 99_000_000_000, Prices: prices(
		[]rating.Tier{{From: 1_000, Nano: 20_000_000}},
		[]rating.Tier{{From: 100_000 * minute, Nano: 400_000}},
	)}
}

func businessCard() rating.Card {
	return rating.Card{Book: 1, Plan: "business", Title: "Business", Base: 499_000_000_000, Prices: prices(
		[]rating.Tier{{From: 10_000, Nano: 15_000_000}},
		[]rating.Tier{{From: 1_000_000 * minute, Nano: 300_000}, {From: 10_000_000 * minute, Nano: 200_000}},
	)}
}

func whole(card rating.Card, used map[usage.Meter]int64) []rating.Part {
	return []rating.Part{{Period: november, Card: card, Used: used}}
}

// line finds a line by its id.
func line(lines []rating.Line, id string) rating.Line {
	for _, l := range lines {
		if l.ID == id {
			return l
		}
	}
	return rating.Line{}
}
