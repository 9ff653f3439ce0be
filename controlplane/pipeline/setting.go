package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// settings is what a task inherits from `defaults`, and `defaults` from us.
type settings struct {
	env       map[string]entry // templates, checked once their scope is known
	secrets   map[string]string
	labels    map[string]string
	selects   map[string]string
	resources plan.Resources
	retry     plan.Retry
	timeouts  plan.Timeouts
	pool      string
	priority  int
	tolerate  bool
}

// Failure modes of one task.
const (
	onFailureFail     = "fail"
	onFailureTolerate = "tolerate"
)

// maxPriority keeps priorities comparable by a person; dispatch knows no limit.
const maxPriority = 1000

// builtin is what holds where a file says nothing.
func builtin() settings {
	return settings{
		resources: plan.Resources{Slots: 1},
		retry: plan.Retry{
			Infra: 3, Preempt: 100,
			Base: 10_000, FactorMilli: 2_000, Cap: 300_000, Jitter: plan.JitterNone,
		},
		timeouts: plan.Timeouts{Grace: 10_000},
	}
}

// settings reads the keys that tasks and `defaults` share, on top of base: maps
// and the keys of resources, retry and timeouts one by one, the rest as a whole.
func (c *compiler) settings(o object, base settings) settings {
	s := base
	c.readEnvironment(o, &s)
	if e, ok := o.get("labels"); ok {
		s.labels = c.labels(e, s.labels, labelName)
	}
	if e, ok := o.get("select"); ok {
		s.selects = c.labels(e, s.selects, selectName)
	}
	if e, ok := o.get("resources"); ok {
		s.resources = c.resources(e, s.resources)
	}
	if e, ok := o.get("retry"); ok {
		s.retry = c.retry(e, s.retry)
	}
	if e, ok := o.get("timeouts"); ok {
		s.timeouts = c.timeouts(e, s.timeouts)
	}
	if e, ok := o.get("pool"); ok {
		s.pool, _ = c.name(e, poolName)
	}
	if e, ok := o.get("priority"); ok {
		n, _ := c.integer(e, -maxPriority, maxPriority)
		s.priority = int(n)
	}
	if e, ok := o.get("on_failure"); ok {
		mode, _ := choice(c, e, onFailureTolerate, onFailureFail)
		s.tolerate = mode == onFailureTolerate
	}
	return s
}

// labels reads label: value pairs on top of base.
func (c *compiler) labels(e entry, base map[string]string, rule nameRule) map[string]string {
	const most, longest = 32, 128
	out := maps.Clone(base)
	if out == nil {
		out = map[string]string{}
	}
	for _, f := range c.named(e, "labels, as in {team: risk}", rule) {
		v, ok := c.text(f, "the label's value")
		if ok && (len(v) > longest || strings.ContainsFunc(v, isControl)) {
			c.fail(f.path, f.value, Problem{Message: "not a label's value", Want: fmt.Sprintf("one line of at most %d bytes", longest)})
		}
		out[f.name] = v
	}
	if len(out) > most {
		c.fail(e.path, e.where(), Problem{Message: "too many labels", Want: fmt.Sprintf("at most %d", most)})
	}
	return out
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// path reads a file name that is no trick: no control characters, not empty.
func (c *compiler) path(e entry, want string) (string, bool) {
	const longest = 1024
	return parsed(c, e, want, func(s string) (string, error) {
		if s == "" || len(s) > longest || strings.ContainsFunc(s, isControl) {
			return "", fmt.Errorf("not a path of at most %d bytes", longest)
		}
		return s, nil
	})
}

// taskClocks are the fields of a pipeline's `timeouts` that belong to tasks.
func taskClocks(e entry) []entry {
	return slices.DeleteFunc(e.fieldsOrNone(), func(f entry) bool { return !slices.Contains(timeoutKeys.known, f.name) })
}
