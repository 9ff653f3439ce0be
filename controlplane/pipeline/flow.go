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

// maxPasses bounds `repeat`.
const maxPasses = 10_000

// flow is what of a task is looked up once all tasks are known. What the file
// does not have has no value.
type flow struct {
	body    entry   // the tasks of a group
	outputs []entry // what a group hands out
	when    entry   // if
	items   entry   // for_each
	until   entry   // of a loop
	moment  entry   // until which a task waits
	message entry   // of an approval

	pipeline entry   // which is run
	with     []entry // the params that it is given

	itemReads plan.Reads // what for_each reads, and so whoever reads its item
}

// mapKeys belong to for_each and matrix.
var mapKeys = []string{"max_parallel", "tolerate", "on_empty", "stop_on", "max"}

// readFlow reads whether a task happens, and how often.
func (c *compiler) readFlow(o object, t *task) {
	t.flow.when, _ = o.get("if")
	c.readMap(o, t)
	if e, ok := o.get("repeat"); ok {
		t.Repeat = c.repeat(e, t)
	}
	if e, ok := o.get("template"); ok {
		t.Template, _ = c.boolean(e)
		if t.Template {
			c.checkTemplate(o, t)
		}
	}
}

// checkTemplate refuses what an instance of a template gets from the step that
// adds it, or cannot have.
func (c *compiler) checkTemplate(o object, t *task) {
	if t.parent != nil {
		c.fail(o.path, o.node, Problem{Message: "a template stands at the top of the file, not in a group"})
	}
	if t.runsNothing() {
		c.fail(o.path, o.node, Problem{Message: fmt.Sprintf("a template cannot be a task with `%s`", t.does), Want: "`run` or `command`"})
	}
	for _, key := range slices.Concat([]string{"needs", "rule", "if", "for_each", "matrix", "repeat", "artifacts"}, mapKeys) {
		if e, ok := o.get(key); ok && (key != "artifacts" || len(t.inputs) > 0) {
			c.fail(e.path, e.key, Problem{
				Message: fmt.Sprintf("a template has no `%s` of its own", key),
				Hint:    "the step that adds an instance of it says in $SB_PLAN what it needs and what is in its environment",
			})
		}
	}
}

// readMap reads for_each or matrix, and what goes with them.
func (c *compiler) readMap(o object, t *task) {
	items, isMap := o.get("for_each")
	matrix, isMatrix := o.get("matrix")
	if !isMap && !isMatrix {
		for _, key := range mapKeys {
			if e, ok := o.get(key); ok {
				c.fail(e.path, e.key, Problem{Message: fmt.Sprintf("`%s` belongs to a task with `for_each` or `matrix`", key)})
			}
		}
		return
	}
	each := &plan.ForEach{Type: plan.TypeJSON}
	t.ForEach = each
	switch {
	case isMap && isMatrix:
		c.fail(matrix.path, matrix.key, Problem{
			Message: "a task has `for_each` or `matrix`, not both", Hint: "a group with one may hold a task with the other",
		})
	case isMap:
		t.flow.items = items
	default:
		each.Axes = c.matrix(matrix)
	}
	c.readFan(o, each)
}

func (c *compiler) readFan(o object, each *plan.ForEach) {
	for _, number := range []struct {
		key string
		n   *int
	}{{"max_parallel", &each.MaxParallel}, {"max", &each.Max}} {
		if e, ok := o.get(number.key); ok {
			n, _ := c.integer(e, 1, plan.MaxItems)
			*number.n = int(n)
		}
	}
	if e, ok := o.get("tolerate"); ok {
		each.Tolerate, each.TolerateMilli = c.tolerance(e)
	}
	if e, ok := o.get("on_empty"); ok {
		end, _ := choice(c, e, plan.OnEmptySucceed, plan.OnEmptySkip, plan.OnEmptyFail)
		if end != plan.OnEmptySucceed { // the default has one spelling: none
			each.OnEmpty = end
		}
	}
	if e, ok := o.get("stop_on"); ok {
		when, _ := choice(c, e, "first_failure", "never")
		each.StopOnFailure = when == "first_failure"
	}
}

// percentPattern is a share with at most one decimal.
var percentPattern = regexp.MustCompile(`^(\d{1,3}(?:\.\d)?)%$`)

// tolerance reads how many children may fail: a number, or a share of them.
func (c *compiler) tolerance(e entry) (count, milli int) {
	type share struct{ count, milli int }
	got, _ := parsed(c, e, `a number of items, or a share of them as in "5%"`, func(s string) (share, error) {
		if m := percentPattern.FindStringSubmatch(s); m != nil {
			r, _ := new(big.Rat).SetString(m[1]) // the pattern admits decimals only
			n := new(big.Int).Div(new(big.Int).Mul(r.Num(), big.NewInt(10)), r.Denom()).Int64()
			if n > 1000 {
				return share{}, errors.New("more than 100%")
			}
			return share{milli: int(n)}, nil
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n > plan.MaxItems {
			return share{}, fmt.Errorf("not a whole number from 0 to %d, and not a share", plan.MaxItems)
		}
		return share{count: n}, nil
	})
	return got.count, got.milli
}

// matrix reads {lr: [0.1, 0.01], opt: [adam, sgd]}: every combination is an item.
func (c *compiler) matrix(e entry) []plan.Axis {
	const most = 16
	list := c.named(e, "names with lists of values, as in {lr: [0.1, 0.01], opt: [adam, sgd]}", valueName)
	if e.value.Kind == yaml.MappingNode && (len(list) == 0 || len(list) > most) {
		c.fail(e.path, e.where(), Problem{Message: "not a matrix", Want: fmt.Sprintf("1 to %d names with lists of values", most)})
		return nil
	}
	var axes []plan.Axis
	product := 1
	for _, f := range list {
		items, ok := c.list(f, "the values, as in [0.1, 0.01]", plan.MaxItems)
		if !ok {
			continue
		}
		if len(items) == 0 {
			c.fail(f.path, f.where(), Problem{Message: "without a value there is no combination", Want: "at least one value"})
			continue
		}
		axes = append(axes, c.axis(f, items))
		product = min(product*len(items), plan.MaxItems+1)
	}
	if product > plan.MaxItems {
		c.fail(e.path, e.where(), Problem{Message: "too many combinations", Want: fmt.Sprintf("at most %d", plan.MaxItems)})
		return nil
	}
	return axes
}

// axis reads the values of one name: they are of the narrowest type that all of
// them spell.
func (c *compiler) axis(f entry, items []entry) plan.Axis {
	axis := plan.Axis{Name: f.name, Type: plan.TypeString}
	types := []plan.Type{plan.TypeInt, plan.TypeFloat, plan.TypeBool}
	for _, item := range items {
		text, ok := c.text(item, "a value")
		if !ok {
			return axis
		}
		types = slices.DeleteFunc(types, func(t plan.Type) bool {
			_, err := plan.ParseValue(t, text)
			return err != nil || item.value.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
		})
	}
	if len(types) > 0 {
		axis.Type = types[0]
	}
	for _, item := range items {
		if raw, ok := c.value(item, axis.Type); ok {
			axis.Values = append(axis.Values, raw)
		}
	}
	return axis
}

// repeat reads `{until, max, on_max}`.
func (c *compiler) repeat(e entry, t *task) *plan.Repeat {
	r := &plan.Repeat{}
	o, ok := c.object(e, repeatKeys)
	if !ok {
		return r
	}
	if t.flow.until, ok = o.get("until"); !ok {
		c.missing(o, "until", "a condition that ends the loop, as in `until: outputs.loss < 0.1`")
	}
	if e, ok := o.get("max"); ok {
		n, _ := c.integer(e, 1, maxPasses)
		r.Max = int(n)
	} else {
		c.missing(o, "max", "how many passes there may be, so that every loop ends")
	}
	if e, ok := o.get("on_max"); ok {
		end, _ := choice(c, e, "fail", "succeed")
		r.OnMax = strings.TrimPrefix(end, "fail") // the default has one spelling: none
	}
	return r
}
