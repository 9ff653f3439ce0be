package runapi

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// paramCheck judges the params of one start, all of them, so that everything
// that is wrong is said at once.
type paramCheck struct {
	declared []plan.Param
	kid      string // the workspace's sealing key; empty: there is none yet
	wrong    []fault.Violation
	unsealed bool // something came in the clear that must be sealed
	total    int
}

// checkParams returns the given values in canonical form, in the order given.
// Defaults are not among them: whoever reads a param that was not given finds
// its default in the plan. Errors: PARAM_INVALID and, where a param came in the
// clear that must be sealed, PARAM_NOT_SEALED, with a violation `params.<name>`
// for each.
func checkParams(declared []plan.Param, kid string, given []*runv1.Value) ([]*runv1.Value, error) {
	c := &paramCheck{declared: declared, kid: kid}
	seen := map[string]bool{}
	var out []*runv1.Value
	for _, v := range given {
		name := v.GetName()
		p := c.find(name)
		switch {
		case p == nil:
			c.refuse(clip(name), "", "the pipeline has none of that name"+c.known())
			continue
		case seen[name]:
			c.refuse(name, "", "given twice")
			continue
		}
		seen[name] = true
		if value := c.value(p, v); value != nil {
			out = append(out, value)
		}
	}
	for i := range declared {
		if p := &declared[i]; p.Required && !seen[p.Name] {
			c.refuse(p.Name, string(p.Type), "required, and has no default")
		}
	}
	if c.total > plan.MaxTaskBytes {
		c.wrong = append(c.wrong, fault.Violation{
			Path: "params", Want: fmt.Sprintf("at most %d bytes", plan.MaxTaskBytes), Got: fmt.Sprintf("%d bytes", c.total),
			Text: fmt.Sprintf("all params together may have %d bytes, these have %d; hand on what is larger as an artifact", plan.MaxTaskBytes, c.total),
		})
	}
	return out, c.fault()
}

func (c *paramCheck) fault() error {
	if len(c.wrong) == 0 {
		return nil
	}
	reason := reasonParam
	if c.unsealed {
		reason = reasonNotSealed
	}
	return fault.Invalid(reason, "%s", many(c.wrong, "param")).With(c.wrong...)
}

// refuse notes what is wrong with a param. text must not hold its value unless
// the param is open.
func (c *paramCheck) refuse(name, want, text string) {
	c.wrong = append(c.wrong, fault.Violation{Path: "params." + name, Want: want, Text: fmt.Sprintf("param %s: %s", name, text)})
}

func (c *paramCheck) find(name string) *plan.Param {
	for i := range c.declared {
		if c.declared[i].Name == name {
			return &c.declared[i]
		}
	}
	return nil
}

// known lists what there is, after a name that is not.
func (c *paramCheck) known() string {
	if len(c.declared) == 0 {
		return "; it takes no params"
	}
	names := make([]string, len(c.declared))
	for i := range c.declared {
		names[i] = c.declared[i].Name
	}
	return "; it takes " + clip(strings.Join(names, ", "))
}

// value returns a value as it is kept, or nil where it is wrong.
func (c *paramCheck) value(p *plan.Param, v *runv1.Value) *runv1.Value {
	if t := v.GetType(); t != "" && t != string(p.Type) {
		c.refuse(p.Name, string(p.Type), fmt.Sprintf("declared as %s, not as %s", p.Type, clip(t)))
		return nil
	}
	switch content := v.GetContent().(type) {
	case *runv1.Value_OpenJson:
		return c.open(p, content.OpenJson)
	case *runv1.Value_Sealed:
		return c.sealed(p, content.Sealed)
	}
	c.refuse(p.Name, string(p.Type), "it has no value")
	return nil
}

func (c *paramCheck) open(p *plan.Param, raw json.RawMessage) *runv1.Value {
	if !p.Open {
		c.unsealed = true
		c.refuse(p.Name, "a sealed value", "it is not declared `open: true`, so it must be sealed to the workspace's key before it is sent: "+
			"`signalbox run start` and the web app do so by themselves"+c.missingKey())
		return nil
	}
	canonical, err := plan.CheckParam(*p, raw)
	if err != nil {
		c.refuse(p.Name, string(p.Type), err.Error())
		return nil
	}
	c.total += len(canonical)
	return &runv1.Value{
		Name: p.Name, Type: string(p.Type), Content: &runv1.Value_OpenJson{OpenJson: canonical}, Size: uint32(len(canonical)),
	}
}

func (c *paramCheck) sealed(p *plan.Param, envelope []byte) *runv1.Value {
	if p.Open {
		c.refuse(p.Name, "a value in the clear", "it is declared `open: true`: send it as it is, not sealed")
		return nil
	}
	info, err := seal.Inspect(envelope)
	switch {
	case err != nil:
		c.refuse(p.Name, "an envelope", fmt.Sprintf("this is not a sealed value of at most %d bytes, or one that a newer program sealed", plan.MaxValueBytes))
		return nil
	case c.kid == "":
		c.refuse(p.Name, "", "the workspace has no sealing key yet, so no agent could open it"+c.missingKey())
		return nil
	case info.KID.String() != c.kid:
		c.refuse(p.Name, "key "+c.kid, fmt.Sprintf("sealed to the key %s, but the workspace's key is %s; seal it again", info.KID, c.kid))
		return nil
	}
	c.total += info.Size
	return &runv1.Value{Name: p.Name, Type: string(p.Type), Content: &runv1.Value_Sealed{Sealed: envelope}, Size: uint32(info.Size)}
}

func (c *paramCheck) missingKey() string {
	if c.kid != "" {
		return ""
	}
	return "; the workspace's first agent makes the key: start one with `signalbox pool join-token`"
}
