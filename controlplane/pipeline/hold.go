package pipeline

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// payload is the output of a signal that has a type.
const payload = "payload"

var signalName = nameRule{
	what: "a signal", pattern: regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,62}$`),
	want: "letters, digits, . - and _, at most 63, a letter first",
}

// pause reads `wait: {for: 3d}` or `wait: {until: "${{ params.at }}"}`.
func (c *compiler) pause(e entry, t *task) *plan.Wait {
	w := &plan.Wait{}
	o, ok := c.object(e, waitKeys)
	if !ok {
		return w
	}
	length, hasFor := o.get("for")
	moment, hasUntil := o.get("until")
	switch {
	case hasFor && hasUntil:
		c.fail(moment.path, moment.key, Problem{Message: "a task waits `for` a time or `until` a moment, not both"})
	case hasFor:
		w.For, _ = c.duration(length)
	case hasUntil:
		t.flow.moment = moment
	default:
		c.missing(o, "for", "how long, as in `for: 3d`, or `until` a moment")
	}
	return w
}

// checkMoment reads a moment that the file itself gives.
func (c *compiler) checkMoment(e entry) {
	_, _ = parsed(c, e, `a moment as in "2026-07-01T06:00:00Z", or "${{ … }}" that gives one`, func(s string) (time.Time, error) {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return at, errors.New("not a moment of RFC 3339, which has a time zone")
		}
		return at, nil
	})
}

// signal reads `signal: {name: go, type: int, timeout: 2d, on_timeout: skip}`.
func (c *compiler) signal(e entry, t *task) *plan.Signal {
	s := &plan.Signal{}
	o, ok := c.object(e, signalKeys)
	if !ok {
		return s
	}
	if e, ok := o.get("name"); ok {
		s.Name, _ = c.name(e, signalName)
	} else {
		c.missing(o, "name", "what the signal is called, as in `name: data-ready`")
	}
	if e, ok := o.get("type"); ok {
		s.Type = c.valueType(e)
		t.Outputs = []plan.Output{{Name: payload, Type: typeOr(s.Type, plan.TypeJSON)}}
	}
	s.Timeout, s.OnTimeout = c.patience(o, plan.OnTimeoutFail, plan.OnTimeoutSkip)
	return s
}

// patience reads `timeout` and `on_timeout`.
func (c *compiler) patience(o object, ends ...plan.OnTimeout) (plan.Millis, plan.OnTimeout) {
	var limit plan.Millis
	timeout, hasLimit := o.get("timeout")
	if hasLimit {
		limit, _ = c.duration(timeout)
	}
	e, ok := o.get("on_timeout")
	if !ok {
		return limit, ""
	}
	if !hasLimit {
		c.fail(e.path, e.key, Problem{Message: "without a `timeout` nothing is ever too late", Want: "`timeout: 48h`, or no `on_timeout`"})
	}
	return limit, c.inVain(e, ends...)
}

func (c *compiler) inVain(e entry, ends ...plan.OnTimeout) plan.OnTimeout {
	end, _ := choice(c, e, ends...)
	if end == plan.OnTimeoutFail { // the default has one spelling: none
		return ""
	}
	return end
}

// approve reads who must agree.
func (c *compiler) approve(e entry, t *task) *plan.Approve {
	const most = 100
	a := &plan.Approve{}
	if e.value.Kind == yaml.MappingNode && len(e.value.Content) == 0 {
		return a // whoever may
	}
	o, ok := c.object(e, approveKeys)
	if !ok {
		return a
	}
	if e, ok := o.get("message"); ok {
		if _, ok := c.rawText(e, "text, which may hold `${{ }}`"); ok {
			t.flow.message = e
		}
	}
	if e, ok := o.get("by"); ok {
		a.By = c.voters(e)
	}
	if e, ok := o.get("required"); ok {
		n, _ := c.integer(e, 1, most)
		if n > 1 { // the default has one spelling: none
			a.Required = int(n)
		}
	}
	if e, ok := o.get("not_requester"); ok {
		a.NotRequester, _ = c.boolean(e)
	}
	a.Timeout, a.OnTimeout = c.patience(o, plan.OnTimeoutFail, plan.OnTimeoutSkip, plan.OnTimeoutApprove)
	if e, ok := o.get("on_reject"); ok {
		a.OnReject = c.inVain(e, plan.OnTimeoutFail, plan.OnTimeoutSkip)
	}
	return a
}

// voterPattern is one way to say who may vote.
var voterPattern = regexp.MustCompile(`^(role|user):\S{1,200}$`)

func (c *compiler) voters(e entry) []string {
	const most = 100
	items, _ := c.list(e, "who may vote, as in [role:admin, user:ann@example.org]", most)
	var by []string
	for _, item := range items {
		who, ok := parsed(c, item, "role:… or user:…", func(s string) (string, error) {
			if !voterPattern.MatchString(s) {
				return "", fmt.Errorf("`%s` names nobody who may vote", strings.TrimSpace(clip(s)))
			}
			return s, nil
		})
		if ok {
			by = append(by, who)
		}
	}
	return by
}
