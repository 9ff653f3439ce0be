package expr

import (
	"encoding/json"
	"fmt"
	"strconv"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/traits"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// Items is what a for_each goes over: a list, or the whole numbers below Count.
type Items struct {
	List  []json.RawMessage // canonical JSON each; nil for whole numbers
	Count int
}

// ItemType is the type of `item` where a template of that type stands after
// for_each; false for one that gives neither a list nor a whole number.
func ItemType(template plan.Type) (plan.Type, bool) {
	switch elem, ok := template.Elem(); {
	case ok:
		return elem, true
	case template == plan.TypeInt, template == plan.TypeJSON:
		return template, true
	}
	return "", false
}

// Each gives the items of a template that is one expression. What it reads as it
// is, a collected list for instance, may be of any length; what it computes may
// have plan.MaxValueBytes for each item and CostLimit for all. The error is an
// *EvalError or ErrCost.
func (t *TemplateProgram) Each(values Values) (Items, error) {
	if _, ok := t.template.Single(); !ok {
		return Items{}, &EvalError{Expr: t.template.source, Text: "this is text, no list"}
	}
	program := t.programs[0]
	if raw := program.plainRaw(&values); len(raw) > 0 {
		return program.eachOf(raw)
	}
	result, err := program.eval(values)
	if err != nil {
		return Items{}, err
	}
	list, ok := result.(traits.Lister)
	if !ok {
		encoder := encoder{limit: plan.MaxValueBytes}
		if err := encoder.value(result); err != nil {
			return Items{}, program.fail(err.Error())
		}
		return program.eachOf(encoder.out.Bytes())
	}
	elem := elemOr(program.resultType)
	items := Items{List: []json.RawMessage{}}
	for at := list.Iterator(); at.HasNext() == types.True; {
		encoder := encoder{limit: plan.MaxValueBytes}
		if err := encoder.value(at.Next()); err != nil {
			return Items{}, program.fail(fmt.Sprintf("item %d: %v", len(items.List), err))
		}
		raw, err := plan.CheckValue(elem, encoder.out.Bytes())
		if err != nil {
			return Items{}, program.fail(fmt.Sprintf("item %d: %v", len(items.List), err))
		}
		items.List = append(items.List, raw)
	}
	items.Count = len(items.List)
	return items, nil
}

// plainRaw is the JSON of what a plain program reads; empty where it computes or
// reads what is not there.
func (p *Program) plainRaw(values *Values) json.RawMessage {
	one, ok := p.found[p.plain]
	if !ok {
		return nil
	}
	return values.raw(one)
}

// eachOf reads JSON as a list or a whole number.
func (p *Program) eachOf(raw json.RawMessage) (Items, error) {
	if raw[0] != '[' {
		count, err := strconv.Atoi(string(raw))
		if err != nil || count < 0 {
			return Items{}, p.fail("this is neither a list nor a whole number from 0 on")
		}
		return Items{Count: count}, nil
	}
	list := []json.RawMessage{}
	if err := json.Unmarshal(raw, &list); err != nil {
		return Items{}, p.fail(err.Error())
	}
	elem := elemOr(p.resultType)
	for i := range list {
		var err error
		if list[i], err = plan.CheckValue(elem, list[i]); err != nil {
			return Items{}, p.fail(fmt.Sprintf("item %d: %v", i, err))
		}
	}
	return Items{List: list, Count: len(list)}, nil
}

// elemOr is the type of a list's elements, json where only evaluation knows.
func elemOr(list plan.Type) plan.Type {
	if elem, ok := list.Elem(); ok {
		return elem
	}
	return plan.TypeJSON
}
