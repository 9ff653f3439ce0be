package expr

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// CostLimit is what one evaluation may cost, in CEL's units: about one for each
// operation and element. It allows a filter over a list of some ten thousand and
// ends everything else within a second.
const CostLimit = 1_000_000

// ErrCost is what an *EvalError is whose evaluation ran into CostLimit.
var ErrCost = errors.New("the expression costs too much")

// Eval gives the expression's value as canonical JSON of its Type. The error is
// an *EvalError, or ErrCost.
func (p *Program) Eval(values Values) (json.RawMessage, error) {
	result, err := p.eval(values)
	if err != nil {
		return nil, err
	}
	encoder := encoder{limit: plan.MaxValueBytes}
	if err := encoder.value(result); err != nil {
		return nil, p.fail(err.Error())
	}
	raw, err := plan.CheckValue(p.resultType, encoder.out.Bytes())
	if err != nil {
		return nil, p.fail(err.Error())
	}
	return raw, nil
}

// Bool is Eval for a condition.
func (p *Program) Bool(values Values) (bool, error) {
	result, err := p.eval(values)
	if err != nil {
		return false, err
	}
	answer, ok := result.Value().(bool)
	if !ok {
		return false, p.fail("the condition is neither true nor false")
	}
	return answer, nil
}

func (p *Program) eval(values Values) (ref.Val, error) {
	program, err := p.run()
	if err != nil {
		return nil, p.fail(err.Error())
	}
	input := &activation{found: p.found, values: &values, decoded: map[string]any{}}
	result, _, err := program.Eval(cel.Activation(input))
	switch {
	case err == nil:
		return result, nil
	case strings.Contains(err.Error(), "actual cost limit exceeded"):
		return nil, fmt.Errorf("%w: more than %d, in `%s`", ErrCost, CostLimit, clip(p.source))
	case input.err != nil:
		return nil, p.fail(input.err.Error())
	}
	return nil, p.fail(err.Error())
}

func (p *Program) fail(text string) error { return &EvalError{Expr: p.source, Text: text} }
