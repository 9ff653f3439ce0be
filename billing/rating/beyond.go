package rating

import (
	"math/big"

	"github.com/signalboxhq/signalbox/billing/usage"
)

// Beyond is what quantities cost that come on top of what the card includes, at
// the prices of its first tiers: what a run adds to a bill, before the month is
// rated as a whole. It is rounded once. Errors: ErrTooLarge.
func (c *Card) Beyond(used map[usage.Meter]int64) (nano NanoUSD, cents int64, err error) {
	sum := new(big.Rat)
	for i := range c.Prices {
		p := &c.Prices[i]
		e := p.between(p.Included(), p.Included()+used[p.Meter])
		sum.Add(sum, new(big.Rat).SetFrac(e.nano, big.NewInt(e.per)))
	}
	n := halfEven(sum.Num(), sum.Denom())
	if !n.IsInt64() {
		return 0, 0, ErrTooLarge
	}
	return NanoUSD(n.Int64()), halfEven(sum.Num(), new(big.Int).Mul(sum.Denom(), big.NewInt(nanoPerCent))).Int64(), nil
}
