package plan

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// MaxMillis bounds every duration: a hundred years, so that sums of a few of
// them and a time of day never overflow.
const MaxMillis Millis = 100 * 365 * 24 * 3600 * 1000

// errNoUnit is worth its own text: a bare number is the usual mistake.
var errNoUnit = errors.New("a duration needs a unit: ms, s, m, h or d, as in 90s or 1h30m")

var (
	durationPattern = regexp.MustCompile(`^(\d+(\.\d+)?(ms|s|m|h|d))+$`)
	durationPart    = regexp.MustCompile(`(\d+(?:\.\d+)?)(ms|s|m|h|d)`)
	bareNumber      = regexp.MustCompile(`^\d+(\.\d+)?$`)
)

var unitMillis = map[string]int64{"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

// ParseDuration reads `250ms`, `90s`, `1h30m`, `1.5h` or `7d`. A unit is
// required, negative durations and fractions of a millisecond are refused.
func ParseDuration(text string) (Millis, error) {
	if bareNumber.MatchString(text) {
		return 0, errNoUnit
	}
	if len(text) > 64 || !durationPattern.MatchString(text) {
		return 0, fmt.Errorf("%s is no duration; write it as 90s, 1h30m or 7d", clip(text))
	}
	total := new(big.Rat)
	for _, m := range durationPart.FindAllStringSubmatch(text, -1) {
		n, _ := new(big.Rat).SetString(m[1]) // the pattern admits decimals only
		total.Add(total, n.Mul(n, new(big.Rat).SetInt64(unitMillis[m[2]])))
	}
	if !total.IsInt() {
		return 0, fmt.Errorf("%s is not a whole number of milliseconds", clip(text))
	}
	ms := total.Num()
	if !ms.IsInt64() || ms.Int64() > int64(MaxMillis) {
		return 0, fmt.Errorf("%s is longer than a hundred years", clip(text))
	}
	return Millis(ms.Int64()), nil
}

// String writes the canonical form of a duration value: whole seconds, or
// seconds with three decimals, as CEL and protobuf write it (`90s`, `0.250s`).
func (m Millis) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	if m%1000 == 0 {
		return sign + strconv.FormatInt(int64(m)/1000, 10) + "s"
	}
	return fmt.Sprintf("%s%d.%03ds", sign, int64(m)/1000, int64(m)%1000)
}

// finite reports whether f has a JSON spelling.
func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// clip quotes text for an error message without repeating all of it.
func clip(text string) string {
	const most = 60
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strconv.Quote(text)
}
