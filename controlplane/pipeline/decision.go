package pipeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// linkItems looks up what a task's for_each goes over.
func (c *compiler) linkItems(t *task) {
	each := t.ForEach
	if each == nil {
		return
	}
	defer func() { c.checkMax(t) }()
	e := t.flow.items
	if e.value == nil {
		return // a matrix
	}
	each.Type = plan.TypeJSON
	const want = `a list as in "${{ tasks.split.outputs.parts }}", a whole number, or an artifact of JSON lines`
	text, ok := c.rawText(e, want)
	if !ok {
		return
	}
	if !strings.Contains(text, exprOpen) {
		each.Type = plan.TypeInt
		each.Count, _ = c.count(e, want)
		return
	}
	place := expr.Before(c.view, t.index)
	program := c.compileTemplate(e, place)
	if program == nil {
		return
	}
	if ref, ok := artifactOf(program); ok {
		c.linkLines(t, e, ref)
		return
	}
	if !c.note(t, e, program.References(), nextMap(t.parent), &t.flow.itemReads) {
		return
	}
	_, single := program.Template().Single()
	typ, ok := expr.ItemType(program.Type())
	if !single || !ok {
		c.fail(e.path, e.value, Problem{Message: fmt.Sprintf("this gives %s, and no list", article(program.Type())), Want: want})
		return
	}
	each.Items, each.Type = text, typ
	tidy(&t.flow.itemReads)
	addReads(&t.Asked, t.flow.itemReads)
}

// count reads a number of items.
func (c *compiler) count(e entry, want string) (int, bool) {
	return parsed(c, e, want, func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > plan.MaxItems {
			return 0, fmt.Errorf("neither a list nor a whole number from 1 to %d", plan.MaxItems)
		}
		return n, nil
	})
}

// linkLines makes the lines of an artifact the items.
func (c *compiler) linkLines(t *task, e entry, ref expr.ArtifactRef) {
	up := c.tasks[ref.Task]
	if up.ForEach != nil {
		c.fail(e.path, e.value, Problem{
			Message: fmt.Sprintf("`%s` leaves one artifact `%s` for each of its items", up.ShortName(), ref.Artifact),
			Hint:    "a task that takes them in can write one file of them all",
		})
		return
	}
	if !c.wait(t, up, edge{at: e, reason: fmt.Sprintf("takes its artifact `%s`", ref.Artifact), reads: true, takes: true}) {
		return
	}
	t.ForEach.Artifact = &plan.ArtifactIn{Name: ref.Artifact, Task: ref.Task, Artifact: ref.Artifact}
	t.flow.itemReads.Artifacts = []plan.ArtifactRef{{Task: ref.Task, Artifact: ref.Artifact}}
	addReads(&t.Asked, t.flow.itemReads)
}

// checkMax lets `max` and what the file itself says of the number agree.
func (c *compiler) checkMax(t *task) {
	each := t.ForEach
	n, known := each.Known()
	switch {
	case !known:
	case each.Max == 0 && n > plan.DefaultMaxItems:
		each.Max = n // who writes a number means it
	case n > each.Limit():
		c.fail(t.at.path, t.at.where(), Problem{Message: fmt.Sprintf("%d items are more than `max` allows", n), Want: fmt.Sprintf("at most %d", each.Max)})
	}
	if e := t.flow.items; known && each.MaxParallel > n && e.value != nil {
		each.MaxParallel = 0
	}
}

// linkDecisions checks what is asked before a task starts, and after each pass.
func (c *compiler) linkDecisions(t *task) {
	if e := t.flow.when; e.value != nil {
		c.linkCondition(t, e)
	}
	if e := t.flow.until; e.value != nil && t.Repeat != nil {
		place := expr.Until(c.view, t.index)
		if program := c.condition(e, place); program != nil && c.note(t, e, program.References(), nextMap(t), &t.Asked) {
			t.Repeat.Until = program.Source()
		}
	}
	place := expr.In(c.view, t.index)
	if e := t.flow.message; e.value != nil && t.Approve != nil {
		if strings.Contains(e.value.Value, exprOpen) {
			t.Approve.Message = e.value.Value
			c.readTemplate(t, e, place, &t.Asked)
		} else {
			t.Approve.Text = e.value.Value
		}
	}
	if e := t.flow.moment; e.value != nil && t.Wait != nil {
		c.linkMoment(t, e, place)
	}
	c.linkWith(t)
}

// linkCondition reads `if`. Where it reads `item` it is asked for each item, else
// once.
func (c *compiler) linkCondition(t *task, e entry) {
	place := expr.In(c.view, t.index)
	program := c.condition(e, place)
	if program == nil || !c.note(t, e, program.References(), nextMap(t), &t.Asked) {
		return
	}
	if t.ForEach != nil && program.References().Item {
		t.ItemIf = program.Source()
	} else {
		t.If = program.Source()
	}
}

func (c *compiler) linkMoment(t *task, e entry, place expr.Place) {
	text, ok := c.rawText(e, "a moment")
	if !ok {
		return
	}
	t.Wait.Until = text
	if !strings.Contains(text, exprOpen) {
		c.checkMoment(e)
		return
	}
	program := c.readTemplate(t, e, place, &t.Asked)
	if program != nil && !slices.Contains([]plan.Type{plan.TypeString, plan.TypeJSON}, program.Type()) {
		c.fail(e.path, e.value, Problem{
			Message: fmt.Sprintf("a moment is text, and this is %s", article(program.Type())), Want: "text as in 2026-07-01T06:00:00Z",
		})
	}
}

// condition compiles a bare expression that is true or false; nil where it is at
// fault.
func (c *compiler) condition(e entry, place expr.Place) *expr.Program {
	text, ok := c.rawText(e, "a condition, as in `tasks.evaluate.outputs.f1 >= 0.85`")
	if !ok {
		return nil
	}
	if strings.Contains(text, exprOpen) {
		c.failExpr(e.path, e.value, Problem{
			Message: fmt.Sprintf("`%s` is an expression by itself", e.name), Want: "the condition without `${{ }}`",
		})
		return nil
	}
	program, err := c.scope.at(place).CompileCondition(text)
	if err != nil {
		c.failExpression(e, err)
		return nil
	}
	return program
}

// article is a type in a sentence.
func article(t plan.Type) string {
	if t == plan.TypeInt {
		return "an int"
	}
	return "a " + string(t)
}
