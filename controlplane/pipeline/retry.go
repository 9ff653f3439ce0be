package pipeline

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// neverPattern is the one condition of `never` so far: an exit code but 0.
var neverPattern = regexp.MustCompile(`^exit:([1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])$`)

// factorPattern bounds the factor's digits, so that thousandths are exact.
var factorPattern = regexp.MustCompile(`^\d{1,3}(\.\d{1,3})?$`)

// retry reads the three budgets and the waits between attempts.
func (c *compiler) retry(e entry, base plan.Retry) plan.Retry {
	const most = 1000
	r := base
	o, ok := c.object(e, retryKeys)
	if !ok {
		return r
	}
	for _, budget := range []struct {
		key string
		n   *int
	}{{"user", &r.User}, {"infra", &r.Infra}, {"preempt", &r.Preempt}} {
		if e, ok := o.get(budget.key); ok {
			n, _ := c.integer(e, 0, most)
			*budget.n = int(n)
		}
	}
	if e, ok := o.get("backoff"); ok {
		r = c.backoff(e, r)
	}
	if e, ok := o.get("jitter"); ok {
		r.Jitter, _ = choice(c, e, plan.JitterNone, plan.JitterEqual, plan.JitterFull)
	}
	if e, ok := o.get("never"); ok {
		r.Never = c.never(e)
	}
	return r
}

// backoff reads a list of waits, or base, factor and cap. Each replaces the other.
func (c *compiler) backoff(e entry, r plan.Retry) plan.Retry {
	const mostSteps = 32
	if e.value.Kind == yaml.SequenceNode {
		items, _ := c.list(e, "waits, as in [10s, 1m, 5m]", mostSteps)
		r.Steps, r.Base, r.FactorMilli, r.Cap = nil, 0, 0, 0
		for _, item := range items {
			d, _ := c.duration(item)
			r.Steps = append(r.Steps, d)
		}
		if len(e.value.Content) == 0 {
			c.fail(e.path, e.where(), Problem{Message: "no waits", Want: "waits, as in [10s, 1m, 5m]"})
		}
		return r
	}
	if r.Base == 0 { // the defaults had a list; what is not said here is ours again
		b := builtin().retry
		r.Steps, r.Base, r.FactorMilli, r.Cap = nil, b.Base, b.FactorMilli, b.Cap
	}
	o, ok := c.object(e, backoffKeys)
	if !ok {
		return r
	}
	if e, ok := o.get("base"); ok {
		r.Base, _ = c.duration(e)
	}
	if e, ok := o.get("cap"); ok {
		r.Cap, _ = c.duration(e)
	} else {
		r.Cap = max(r.Cap, r.Base)
	}
	if e, ok := o.get("factor"); ok {
		r.FactorMilli, _ = parsed(c, e, "a factor from 1 to 100, at most three decimals", func(s string) (int64, error) {
			const low, high = 1_000, 100_000
			if !factorPattern.MatchString(s) {
				return 0, errors.New("not a factor")
			}
			n, err := scaled(s, low, "thousandths")
			if err != nil || n < low || n > high {
				return 0, errors.New("not a factor from 1 to 100")
			}
			return n, nil
		})
	}
	if r.Cap > 0 && r.Cap < r.Base {
		c.fail(e.path, e.where(), Problem{
			Message: "`cap` is shorter than `base`", Want: "at least " + r.Base.String(), Got: r.Cap.String(),
		})
	}
	return r
}

func (c *compiler) never(e entry) []string {
	const most = 64
	items, _ := c.list(e, `exit codes that no retry can help, as in ["exit:2"]`, most)
	var never []string
	for _, item := range items {
		s, ok := parsed(c, item, `an exit code, as in "exit:2"`, func(s string) (string, error) {
			if !neverPattern.MatchString(s) {
				return "", errors.New("not a condition of `never`")
			}
			return s, nil
		})
		if ok && !slices.Contains(never, s) {
			never = append(never, s)
		}
	}
	return never
}

// timeouts reads a task's clocks on top of base.
func (c *compiler) timeouts(e entry, base plan.Timeouts) plan.Timeouts {
	t := base
	o, ok := c.object(e, timeoutKeys)
	if !ok {
		return t
	}
	for _, clock := range []struct {
		key string
		d   *plan.Millis
	}{{"queue", &t.Queue}, {"start", &t.Start}, {"progress", &t.Progress}, {"grace", &t.Grace}} {
		if e, ok := o.get(clock.key); ok {
			*clock.d, _ = c.duration(e)
		}
	}
	if e, ok := o.get("run"); ok {
		t.Run, t.RunAutoMilli = c.runLimit(e)
	}
	return t
}

// runLimit reads a duration, or `auto(1.5x)`: how many times what earlier
// attempts took, in thousandths.
func (c *compiler) runLimit(e entry) (plan.Millis, int64) {
	if e.value == nil || !strings.HasPrefix(strings.TrimSpace(e.value.Value), "auto") {
		d, _ := c.duration(e)
		return d, 0
	}
	factor, _ := parsed(c, e, "auto(1.5x): how many times the median of the last successes, from 1.1x to 100x", func(s string) (int64, error) {
		text, ok := strings.CutPrefix(strings.TrimSpace(s), "auto(")
		text, closed := strings.CutSuffix(text, "x)")
		if !ok || !closed || !factorPattern.MatchString(text) {
			return 0, errors.New("not a factor of `auto`")
		}
		const unit, low, high = 1_000, 1_100, 100_000
		n, err := scaled(text, unit, "thousandths")
		if err != nil || n < low || n > high {
			return 0, errors.New("not a factor from 1.1x to 100x")
		}
		return n, nil
	})
	return 0, factor
}
