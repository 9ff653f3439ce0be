package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// CheckParam reads raw, JSON that was given for p, and returns its canonical
// form. It refuses a value of another type, out of [Min, Max] or not in Enum.
// Whoever can read the value calls it: the server for an open param, a client
// before it seals one, the agent before it uses one.
func CheckParam(p Param, raw json.RawMessage) (json.RawMessage, error) {
	v, err := CheckValue(p.Type, raw)
	if err != nil {
		return nil, err
	}
	if err := checkRange(p, v); err != nil {
		return nil, err
	}
	if len(p.Enum) > 0 && !slices.Contains(p.Enum, Text(v)) {
		return nil, fmt.Errorf("want one of %s, got %s", strings.Join(p.Enum, ", "), clip(Text(v)))
	}
	return v, nil
}

// ParseParam is [CheckParam] for text as a person types it.
func ParseParam(p Param, text string) (json.RawMessage, error) {
	raw, err := ParseValue(p.Type, text)
	if err != nil {
		return nil, err
	}
	return CheckParam(p, raw)
}

func checkRange(p Param, v json.RawMessage) error {
	if len(p.Min) == 0 && len(p.Max) == 0 {
		return nil
	}
	got, err := quantity(p.Type, v)
	if err != nil {
		return err
	}
	for _, bound := range []struct {
		raw  json.RawMessage
		sign int
		word string
	}{{p.Min, -1, "at least"}, {p.Max, 1, "at most"}} {
		if len(bound.raw) == 0 {
			continue
		}
		limit, err := quantity(p.Type, bound.raw)
		if err != nil {
			return fmt.Errorf("bound: %w", err)
		}
		if got.Cmp(limit) == bound.sign {
			return fmt.Errorf("want %s %s, got %s", bound.word, Text(bound.raw), Text(v))
		}
	}
	return nil
}

// quantity is the exact number behind an int, a float or a duration.
func quantity(t Type, raw json.RawMessage) (*big.Rat, error) {
	text := Text(raw)
	if t == TypeDuration {
		ms, err := ParseDuration(text)
		return new(big.Rat).SetInt64(int64(ms)), err
	}
	if r, ok := new(big.Rat).SetString(text); ok && (t == TypeInt || t == TypeFloat) {
		return r, nil
	}
	return nil, errors.New("only int, float and duration have a range")
}
