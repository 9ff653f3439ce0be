package pipeline

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// exprOpen begins an expression, in the few places where one may stand.
const exprOpen = "${{"

// rawText is the source text of a scalar, converted by nobody: `3.10` stays
// `3.10` and `no` stays `no`.
func (c *compiler) rawText(e entry, want string) (string, bool) {
	if e.value.Kind != yaml.ScalarNode || isNull(e.value) {
		p := Problem{Message: "text is wanted here", Want: want, Got: kindOf(e.value)}
		if isNull(e.value) {
			p.Message, p.Got = "a value is missing", ""
			if e.value.Value != "" {
				p.Hint = fmt.Sprintf("for the text itself, quote it: %q", e.value.Value)
			}
		}
		c.fail(e.path, e.where(), p)
		return "", false
	}
	return e.value.Value, true
}

// text is rawText where no expression may stand.
func (c *compiler) text(e entry, want string) (string, bool) {
	s, ok := c.rawText(e, want)
	if ok && strings.Contains(s, exprOpen) {
		c.failExpr(e.path, e.value, Problem{
			Message: "`${{ }}` may not stand here: this is fixed when the file is uploaded",
			Want:    want,
			Hint:    "expressions stand in `env` and in `artifacts.in`",
		})
		return "", false
	}
	return s, ok
}

// parsed reads a scalar with parse, whose error says what is wrong with the text.
func parsed[T any](c *compiler, e entry, want string, parse func(string) (T, error)) (T, bool) {
	var zero T
	s, ok := c.text(e, want)
	if !ok {
		return zero, false
	}
	v, err := parse(s)
	if err != nil {
		c.fail(e.path, e.value, Problem{Message: err.Error(), Want: want, Got: fmt.Sprintf("%q", clip(s))})
		return zero, false
	}
	return v, true
}

func (c *compiler) duration(e entry) (plan.Millis, bool) {
	return parsed(c, e, "a duration such as 90s, 10m, 1h30m or 7d", func(s string) (plan.Millis, error) {
		if strings.HasPrefix(s, "auto(") {
			return 0, errors.New("only `timeouts: {run: …}` of a task can be `auto(…)`")
		}
		ms, err := plan.ParseDuration(s)
		if err == nil && ms == 0 {
			return 0, errors.New("a duration of nothing; leave the key out for no limit")
		}
		return ms, err
	})
}

func (c *compiler) integer(e entry, low, high int64) (int64, bool) {
	want := fmt.Sprintf("a whole number from %d to %d", low, high)
	return parsed(c, e, want, func(s string) (int64, error) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("not a whole number from %d to %d", low, high)
		}
		return n, nil
	})
}

func (c *compiler) boolean(e entry) (value, ok bool) {
	return parsed(c, e, "true or false", func(s string) (bool, error) {
		if s != "true" && s != "false" {
			return false, errors.New("not true or false")
		}
		return s == "true", nil
	})
}

// choice reads one of a few words.
func choice[T ~string](c *compiler, e entry, options ...T) (T, bool) {
	words := make([]string, len(options))
	for i, o := range options {
		words[i] = string(o)
	}
	want := "one of " + strings.Join(words, ", ")
	s, ok := c.text(e, want)
	if !ok {
		return "", false
	}
	if !slices.Contains(words, s) {
		c.fail(e.path, e.value, Problem{
			Message: fmt.Sprintf("`%s` is not known here", clip(s)), Want: want, Hint: didYouMean(s, words),
		})
		return "", false
	}
	return T(s), true
}

var (
	sizePattern  = regexp.MustCompile(`^(\d{1,12}(?:\.\d{1,9})?)(Ki|Mi|Gi|Ti|Pi)B?$`)
	decimalSize  = regexp.MustCompile(`^(\d+(?:\.\d+)?) ?([kKmMgGtTpP])[bB]?$`)
	cpuPattern   = regexp.MustCompile(`^(\d{1,9}(?:\.\d{1,3})?|\d{1,12}m)$`)
	sizeExponent = map[string]uint{"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50}
)

// size reads an IEC size in bytes.
func (c *compiler) size(e entry) (int64, bool) {
	return parsed(c, e, "a size with an IEC unit: 512Mi, 16Gi, 1.5Ti", func(s string) (int64, error) {
		m := sizePattern.FindStringSubmatch(s)
		if m == nil {
			if d := decimalSize.FindStringSubmatch(s); d != nil {
				return 0, fmt.Errorf("sizes are IEC: did you mean %s%si?", d[1], strings.ToUpper(d[2]))
			}
			return 0, errors.New("not a size")
		}
		return scaled(m[1], 1<<sizeExponent[m[2]], "a whole number of bytes")
	})
}

// cpu reads cores, `4`, `0.5` or `500m`, in thousandths.
func (c *compiler) cpu(e entry) (int64, bool) {
	return parsed(c, e, "a number of cores: 4, 0.5 or 500m", func(s string) (int64, error) {
		if !cpuPattern.MatchString(s) {
			return 0, errors.New("not a number of cores")
		}
		if m, ok := strings.CutSuffix(s, "m"); ok {
			return scaled(m, 1, "whole thousandths of a core")
		}
		return scaled(s, 1000, "whole thousandths of a core")
	})
}

// scaled is text·scale for a positive decimal text, which must come out whole.
func scaled(text string, scale int64, unit string) (int64, error) {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, errors.New("not a number")
	}
	r.Mul(r, new(big.Rat).SetInt64(scale))
	if !r.IsInt() {
		return 0, fmt.Errorf("not %s", unit)
	}
	if !r.Num().IsInt64() || r.Num().Int64() > 1<<60 {
		return 0, errors.New("too large")
	}
	if r.Sign() == 0 {
		return 0, errors.New("nothing; leave the key out where it is not needed")
	}
	return r.Num().Int64(), nil
}
