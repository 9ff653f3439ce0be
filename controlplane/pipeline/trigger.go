package pipeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/controlplane/schedule"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// maxTriggers is how many a pipeline may have.
const maxTriggers = 100

const triggerExample = `triggers, as in [{schedule: "0 2 * * 1-5", timezone: Europe/Berlin}]`

// readTriggers reads what starts runs by itself: schedules, so far.
func (c *compiler) readTriggers(o object) {
	e, ok := o.get("triggers")
	if !ok {
		return
	}
	items, _ := c.list(e, triggerExample, maxTriggers)
	taken := map[string]bool{}
	for i, item := range items {
		t, ok := c.object(item, triggerKeys)
		if !ok || slices.ContainsFunc(t.all, func(f entry) bool { return slices.Contains(triggerKeys.later, f.name) }) {
			continue // refused by name
		}
		s := c.schedule(t, item)
		if s.Name == "" {
			s.Name = strconv.Itoa(i + 1)
		}
		if taken[s.Name] {
			c.fail(item.path, item.where(), Problem{
				Message: fmt.Sprintf("two schedules are called `%s`", s.Name), Hint: "one without a name is called by its place in the list",
			})
		}
		taken[s.Name] = true
		c.plan.Schedules = append(c.plan.Schedules, s)
	}
}

// schedule reads one trigger that goes by time.
func (c *compiler) schedule(o object, item entry) plan.Schedule {
	before := len(c.problems)
	s := plan.Schedule{
		Cron:     c.optional(o, "schedule", `a cron expression, as in "0 2 * * 1-5"`),
		Timezone: c.optional(o, "timezone", "a time zone, as in Europe/Berlin"),
		Anchor:   c.optional(o, "anchor", "a time"),
		Start:    c.optional(o, "start", "a time"),
		End:      c.optional(o, "end", "a time"),
		Catchup:  c.optional(o, "catchup", "none, latest, all or window(2d)"),
		Overlap:  c.optional(o, "overlap", "a policy"),
		Dates:    c.texts(o, "dates", "dates, as in [2026-12-24]", schedule.MaxDates),
		Exclude:  c.texts(o, "exclude", `dates or cron expressions, as in [2026-12-24, "* * * * SAT,SUN"]`, schedule.MaxExclude),
	}
	if e, ok := o.get("name"); ok {
		s.Name, _ = c.name(e, scheduleName)
	}
	for key, d := range map[string]*plan.Millis{"every": &s.Every, "jitter": &s.Jitter} {
		if e, ok := o.get(key); ok {
			*d, _ = c.duration(e)
		}
	}
	if e, ok := o.get("max_runs"); ok {
		s.MaxRuns, _ = c.integer(e, 1, 1_000_000_000)
	}
	if e, ok := o.get("pause_on_failure"); ok {
		s.PauseOnFailure, _ = c.boolean(e)
	}
	s.Params = c.scheduleParams(o, item)
	if len(c.problems) > before {
		return s // what could not be read need not be judged
	}
	_, faults := schedule.Compile(s)
	for _, f := range faults {
		at, ok := o.get(f.Field)
		if !ok {
			at = item
		}
		c.fail(at.path, at.where(), Problem{Message: f.Text})
	}
	return s
}

// optional is the text of a key that need not be there.
func (c *compiler) optional(o object, key, want string) string {
	e, ok := o.get(key)
	if !ok {
		return ""
	}
	s, ok := c.text(e, want)
	if ok && s == "" {
		c.fail(e.path, e.where(), Problem{Message: "a value is missing", Want: want})
	}
	return s
}

func (c *compiler) texts(o object, key, want string, most int) []string {
	e, ok := o.get(key)
	if !ok {
		return nil
	}
	items, _ := c.list(e, want, most)
	var out []string
	for _, item := range items {
		if s, ok := c.text(item, want); ok {
			out = append(out, s)
		}
	}
	return out
}

// scheduleParams reads what each run is given: open params in the clear, others
// as `signalbox seal` writes them. Nobody can be asked for one that is missing.
func (c *compiler) scheduleParams(o object, item entry) []plan.ScheduleParam {
	var out []plan.ScheduleParam
	given := map[string]bool{}
	if e, ok := o.get("params"); ok {
		for _, f := range c.named(e, "params of each run, as in {epochs: 10}", valueName) {
			given[f.name] = true
			declared := c.params[f.name]
			if declared == nil {
				c.fail(f.path, f.key, Problem{Message: fmt.Sprintf("the pipeline has no param `%s`", clip(f.name))})
				continue
			}
			if p, ok := c.scheduleParam(f, declared.Param); ok {
				out = append(out, p)
			}
		}
	}
	for i := range c.plan.Params {
		if p := &c.plan.Params[i]; p.Required && !given[p.Name] {
			at := item
			if e, ok := o.get("params"); ok {
				at = e
			}
			c.fail(at.path, at.where(), Problem{
				Message: fmt.Sprintf("a scheduled run has no value for the param `%s`, which is required", p.Name),
				Hint:    fmt.Sprintf("give it a default, or write `params: {%s: …}` here", p.Name),
			})
		}
	}
	return out
}

func (c *compiler) scheduleParam(f entry, declared plan.Param) (plan.ScheduleParam, bool) {
	p := plan.ScheduleParam{Name: f.name}
	if f.value.Kind == yaml.ScalarNode && strings.HasPrefix(f.value.Value, sealedPrefix) {
		before := len(c.problems)
		c.sealedDefault(f, &declared)
		p.Sealed = declared.SealedDefault
		return p, len(c.problems) == before
	}
	if !declared.Open {
		c.failSecret(f.path, f.where(), Problem{
			Message: fmt.Sprintf("the param `%s` is not open, and this file is", f.name),
			Want:    "the line that `signalbox seal` prints: sealed:<base64>",
			Hint:    "or declare it `open: true`",
		})
		return p, false
	}
	raw, ok := c.value(f, declared.Type)
	if !ok {
		return p, false
	}
	canonical, err := plan.CheckParam(declared, raw)
	if err != nil {
		c.fail(f.path, f.where(), Problem{Message: err.Error()})
		return p, false
	}
	p.Value = canonical
	return p, true
}
