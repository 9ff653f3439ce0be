package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/plan"
)

var limitName = nameRule{
	pattern: poolName.pattern, what: "a limit", want: poolName.want,
}

const wantLimits = "limits of the workspace, as in [warehouse, openai] or [warehouse: 2]"

// dispatch reads what a task asks for beside an agent.
func (c *compiler) dispatch(o object, t *plan.Task) {
	if e, ok := o.get("limits"); ok {
		t.Limits = c.limits(e)
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
