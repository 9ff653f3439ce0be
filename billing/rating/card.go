package rating

import (
	"fmt"
	"math/big"

	"github.com/signalboxhq/signalbox/billing/usage"
)

// Card is what a plan costs by one version of the price book.
type Card struct {
	Book  int32  // the price book's version
	Plan  string // "team"
	Title string // "Team", for people
	// Base is the fee of a whole month.
	Base   NanoUSD
	Prices []Price // one for each meter, in the order of the lines
}

// Price is what a meter costs.
type Price struct {
	Meter usage.Meter
	// Per is for how many of the meter's units the tiers' prices are quoted:
	// 60,000 where task_ms is sold by the minute.
	Per int64
	// Tiers rise by From. What lies below the first one is included.
	Tiers []Tier
}

// Tier is a price from a quantity on, up to the next tier.
type Tier struct {
	From int64 // in the meter's units
	Nano NanoUSD
}

// Included is the quantity that the base fee covers.
func (p *Price) Included() int64 { return p.Tiers[0].From }

// Validate refuses a card that cannot be rated.
func (c *Card) Validate() error {
	if c.Base < 0 {
		return fmt.Errorf("the base fee of plan %s is negative", c.Plan)
	}
	seen := map[usage.Meter]bool{}
	for i := range c.Prices {
		p := &c.Prices[i]
		if seen[p.Meter] {
			return fmt.Errorf("plan %s has two prices for %s", c.Plan, p.Meter)
		}
		seen[p.Meter] = true
		if err := p.validate(); err != nil {
			return fmt.Errorf("plan %s, %s: %w", c.Plan, p.Meter, err)
		}
	}
	for _, m := range usage.Meters() {
		if !seen[m] {
			return fmt.Errorf("plan %s has no price for %s", c.Plan, m)
		}
	}
	return nil
}

func (p *Price) validate() error {
	if p.Per <= 0 {
		return fmt.Errorf("the price is quoted for %d units", p.Per)
	}
	if len(p.Tiers) == 0 || p.Tiers[0].From < 0 {
		return fmt.Errorf("the first of %d tiers must begin at 0 or above", len(p.Tiers))
	}
	for i, t := range p.Tiers {
		if t.Nano < 0 {
			return fmt.Errorf("tier %d has a negative price", i+1)
		}
		if i > 0 && t.From <= p.Tiers[i-1].From {
			return fmt.Errorf("tier %d does not begin above the one before", i+1)
		}
	}
	return nil
}

// between is the exact cost of the units after the first `from` ones, up to the
// first `to` ones. So between(0, a) + between(a, b) is between(0, b).
func (p *Price) between(from, to int64) exact {
	sum := new(big.Int)
	for i, t := range p.Tiers {
		low, high := max(from, t.From), to
		if i+1 < len(p.Tiers) {
			high = min(high, p.Tiers[i+1].From)
		}
		if high > low {
			sum.Add(sum, product(high-low, int64(t.Nano)))
		}
	}
	return exact{nano: sum, per: p.Per}
}

// unit is the quoted price of what was used beyond the included quantity, 0
// where that lies in tiers of different prices. Below it, it is what the next
// unit will cost.
func (p *Price) unit(used int64) NanoUSD {
	unit := p.Tiers[0].Nano
	for _, t := range p.Tiers[1:] {
		if used > t.From && t.Nano != unit {
			return 0
		}
	}
	return unit
}
