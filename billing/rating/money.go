package rating

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
)

// NanoUSD is an amount of money in billionths of a dollar.
type NanoUSD int64

const (
	nanoPerUSD  = 1_000_000_000
	nanoPerCent = 10_000_000
)

// ErrTooLarge is returned for an amount that NanoUSD cannot hold: more than nine
// billion dollars on one line.
var ErrTooLarge = errors.New("the amount is too large")

// String spells the amount in dollars, as prices are quoted: $99, $0.0004.
func (n NanoUSD) String() string {
	text := new(big.Rat).SetFrac64(int64(n), nanoPerUSD).FloatString(9)
	text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	if cut, found := strings.CutPrefix(text, "-"); found {
		return "-$" + cut
	}
	return "$" + text
}

// exact is an amount that is not rounded yet: nano / per.
type exact struct {
	nano *big.Int
	per  int64
}

// scaled returns amount × part / whole.
func scaled(amount NanoUSD, part, whole int64) exact {
	return exact{nano: product(int64(amount), part), per: whole}
}

func product(a, b int64) *big.Int { return new(big.Int).Mul(big.NewInt(a), big.NewInt(b)) }

// round returns the amount in nano-dollars, for showing, and in cents, each
// rounded once from the exact amount.
func (e exact) round() (nano NanoUSD, cents int64, err error) {
	n := halfEven(e.nano, big.NewInt(e.per))
	if !n.IsInt64() {
		return 0, 0, ErrTooLarge
	}
	return NanoUSD(n.Int64()), halfEven(e.nano, product(e.per, nanoPerCent)).Int64(), nil
}

// halfEven divides a by b, which is positive, to the nearest whole number; a tie
// goes to the even one.
func halfEven(a, b *big.Int) *big.Int {
	quotient, rest := new(big.Int).DivMod(a, b, new(big.Int)) // 0 <= rest < b
	switch rest.Lsh(rest, 1).Cmp(b) {
	case 1:
		return quotient.Add(quotient, big.NewInt(1))
	case 0:
		return quotient.Add(quotient, big.NewInt(int64(quotient.Bit(0))))
	}
	return quotient
}

// grouped spells a number with a comma before each three digits: 10,000,000.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
