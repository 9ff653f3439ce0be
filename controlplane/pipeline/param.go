package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// sealedPrefix begins a default that was sealed once by `signalbox seal`.
const sealedPrefix = "sealed:"

// param is a declared input and what we must know of it while compiling.
type param struct {
	plan.Param
	at   entry
	read bool // some task reads it
}

// readParams reads the declared inputs of a run, in the order of the file.
func (c *compiler) readParams(o object) {
	e, ok := o.get("params")
	if !ok {
		return
	}
	list := c.named(e, "params, as in {epochs: {type: int, default: 10}}", valueName)
	if len(list) > MaxParams {
		c.fail(e.path, e.where(), Problem{
			Message: "too many params", Want: fmt.Sprintf("at most %d", MaxParams), Got: strconv.Itoa(len(list)),
		})
	}
	for _, f := range list {
		p := &param{Param: c.param(f), at: f}
		c.params[f.name] = p
		c.plan.Params = append(c.plan.Params, p.Param)
	}
}

// param reads `{type: int, default: 10, …}` or, short, `int`.
func (c *compiler) param(f entry) plan.Param {
	p := plan.Param{Name: f.name, Required: true}
	if f.value.Kind == yaml.ScalarNode {
		p.Type = c.valueType(f)
		return p
	}
	o, ok := c.object(f, paramKeys)
	if !ok {
		return p
	}
	if e, ok := o.get("type"); ok {
		p.Type = c.valueType(e)
	} else {
		c.missing(o, "type", "one of "+typeNames(plan.ValueTypes()))
	}
	if e, ok := o.get("open"); ok {
		p.Open, _ = c.boolean(e)
	}
	if e, ok := o.get("description"); ok {
		p.Description, _ = c.text(e, "a description")
	}
	if p.Type != "" {
		c.bounds(o, &p)
		c.enum(o, &p)
		c.defaultValue(o, &p)
	}
	return p
}

func (c *compiler) bounds(o object, p *plan.Param) {
	for _, bound := range []struct {
		key string
		raw *json.RawMessage
	}{{"min", &p.Min}, {"max", &p.Max}} {
		e, ok := o.get(bound.key)
		if !ok {
			continue
		}
		if p.Type != plan.TypeInt && p.Type != plan.TypeFloat && p.Type != plan.TypeDuration {
			c.fail(e.path, e.key, Problem{Message: fmt.Sprintf("a %s has no `%s`", p.Type, bound.key), Want: "int, float or duration"})
			continue
		}
		*bound.raw, _ = c.value(e, p.Type)
	}
	if p.Min != nil && p.Max != nil {
		if _, err := plan.CheckParam(plan.Param{Type: p.Type, Max: p.Max}, p.Min); err != nil {
			e, _ := o.get("min")
			c.fail(e.path, e.value, Problem{Message: "`min` is greater than `max`", Got: fmt.Sprintf("%s and %s", plan.Text(p.Min), plan.Text(p.Max))})
		}
	}
}

func (c *compiler) enum(o object, p *plan.Param) {
	const most = 100
	e, ok := o.get("enum")
	if !ok {
		return
	}
	if _, isList := p.Type.Elem(); isList || p.Type == plan.TypeJSON || p.Type == plan.TypeBytes {
		c.fail(e.path, e.key, Problem{Message: fmt.Sprintf("a %s has no `enum`", p.Type)})
		return
	}
	items, ok := c.list(e, "the allowed values", most)
	if ok && len(items) == 0 {
		c.fail(e.path, e.where(), Problem{Message: "an `enum` without values allows nothing"})
	}
	for _, item := range items {
		raw, ok := c.value(item, p.Type)
		if !ok {
			continue
		}
		if slices.Contains(p.Enum, plan.Text(raw)) {
			c.fail(item.path, item.value, Problem{Message: fmt.Sprintf("`%s` stands here twice", clip(plan.Text(raw)))})
		}
		p.Enum = append(p.Enum, plan.Text(raw))
	}
}

// defaultValue reads `default`; a param without one must be given at start.
func (c *compiler) defaultValue(o object, p *plan.Param) {
	e, ok := o.get("default")
	if !ok {
		return
	}
	p.Required = false
	if strings.HasPrefix(e.value.Value, sealedPrefix) && e.value.Kind == yaml.ScalarNode {
		c.sealedDefault(e, p)
		return
	}
	raw, ok := c.value(e, p.Type)
	if !ok {
		return
	}
	if _, err := plan.CheckParam(*p, raw); err != nil {
		c.fail(e.path, e.where(), Problem{Message: "the default does not fit: " + err.Error()})
	}
	if e.value.Kind == yaml.ScalarNode {
		c.warnSecretLiteral(e, p.Name, e.value.Value, "give it at start, sealed, or put it here sealed: `signalbox seal`")
	}
	p.Default = raw
}

// sealedDefault takes an envelope as it is. What cannot be one is refused here,
// because no run could open it.
func (c *compiler) sealedDefault(e entry, p *plan.Param) {
	if _, err := seal.ParseText(e.value.Value); err != nil {
		c.fail(e.path, e.value, Problem{
			Message: "this is not a sealed value", Want: "the line that `signalbox seal` prints: sealed:<base64>",
		})
		return
	}
	if p.Open {
		c.fail(e.path, e.value, Problem{
			Message: "an open param cannot have a sealed default", Hint: "leave out `open: true`, or write the default in the clear",
		})
		return
	}
	p.SealedDefault = strings.TrimPrefix(e.value.Value, sealedPrefix)
}
