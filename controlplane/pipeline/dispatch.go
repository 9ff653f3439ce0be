package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/plan"
)

var gangKeys = keys{where: "a gang", known: []string{"size", "min", "spread", "start_timeout"}}

var limitName = nameRule{
	pattern: poolName.pattern, what: "a limit", want: poolName.want,
}

const wantLimits = "limits of the workspace, as in [warehouse, openai] or [warehouse: 2]"

// dispatch reads what a task asks for beside an agent.
func (c *compiler) dispatch(o object, t *plan.Task) {
	if e, ok := o.get("limits"); ok {
		t.Limits = c.limits(e)
	}
	if e, ok := o.get("gang"); ok {
		t.Gang = c.gang(e, &t.Timeouts)
	}
}

// limits reads names, or names with a number of units, in a list or a mapping.
func (c *compiler) limits(e entry) []plan.Use {
	items := e.fieldsOrNone()
	if e.value.Kind != yaml.MappingNode {
		list, _ := c.list(e, wantLimits, plan.MaxUses)
		for _, item := range list {
			if item.value.Kind == yaml.MappingNode {
				items = append(items, item.fields()...)
			} else if name, ok := c.rawText(item, "the name of a limit"); ok {
				items = append(items, entry{path: item.path, name: name, key: item.value})
			}
		}
	}
	var out []plan.Use
	for _, item := range items {
		use := plan.Use{Limit: item.name, Units: 1}
		if !c.checkName(item.path, item.key, item.name, limitName) {
			continue
		}
		if item.value != nil {
			n, _ := c.integer(item, 1, plan.MaxUnits)
			use.Units = int(n)
		}
		if slices.ContainsFunc(out, func(u plan.Use) bool { return u.Limit == use.Limit }) {
			c.fail(item.path, item.key, Problem{Message: fmt.Sprintf("the limit %q is named twice", use.Limit)})
			continue
		}
		out = append(out, use)
	}
	// In one order, so that equal needs are one class.
	slices.SortFunc(out, func(x, y plan.Use) int { return strings.Compare(x.Limit, y.Limit) })
	return out
}

// gang reads how many members an attempt has. How long they may take to start is
// a clock of each of them.
func (c *compiler) gang(e entry, clocks *plan.Timeouts) *plan.Gang {
	o, ok := c.object(e, gangKeys)
	if !ok {
		return nil
	}
	g := &plan.Gang{}
	size, has := o.get("size")
	if !has {
		c.fail(o.path, o.node, Problem{Message: "`size` is missing", Want: "how many members the gang has"})
		return nil
	}
	n, _ := c.integer(size, 2, plan.MaxGangSize)
	g.Size = int(n)
	if e, ok := o.get("min"); ok {
		n, _ := c.integer(e, 1, int64(max(1, g.Size)))
		if g.Min = int(n); g.Min == g.Size {
			g.Min = 0
		}
	}
	if e, ok := o.get("spread"); ok {
		s, _ := parsed(c, e, "agents or any", func(s string) (plan.Spread, error) {
			if s != string(plan.SpreadAgents) && s != string(plan.SpreadAny) {
				return "", fmt.Errorf("%q is no way to spread a gang", clip(s))
			}
			return plan.Spread(s), nil
		})
		if s == plan.SpreadAny {
			g.Spread = s
		}
	}
	if e, ok := o.get("start_timeout"); ok {
		if d, ok := c.duration(e); ok {
			clocks.Start = d
		}
	}
	return g
}
