// Package concurrency says in which line a run stands: it evaluates the key of
// its plan over the open params. What happens in a line is controlplane/engine's,
// who stands there controlplane/advance's.
package concurrency

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/signalboxhq/signalbox/controlplane/param"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/expr"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Key is the line of a run with the given params; nil where its pipeline knows
// none. Errors: PARAM_INVALID, for a key that cannot be evaluated or is too long.
func Key(p *plan.Plan, given []*runv1.Value) (*string, error) {
	if p.Concurrency == nil {
		return nil, nil
	}
	text := p.Concurrency.Key
	if strings.Contains(text, "${{") {
		var err error
		if text, err = evaluate(p, given); err != nil {
			return nil, fault.Invalid("PARAM_INVALID", "concurrency.key: %s", err.Error()).Because(err)
		}
	}
	if len(text) > plan.MaxConcurrencyKey || strings.ContainsFunc(text, unicode.IsControl) {
		return nil, fault.Invalid("PARAM_INVALID", "concurrency.key must come to one line of at most %d bytes, this is one of %d", plan.MaxConcurrencyKey, len(text))
	}
	return &text, nil
}

func evaluate(p *plan.Plan, given []*runv1.Value) (string, error) {
	all, err := param.WithDefaults(p.Params, given)
	if err != nil {
		return "", err
	}
	values := map[string]json.RawMessage{}
	for _, v := range all {
		if open, ok := v.GetContent().(*runv1.Value_OpenJson); ok {
			values[v.GetName()] = open.OpenJson
		}
	}
	decls := expr.Decls{Params: map[string]plan.Type{}}
	for i := range p.Params {
		if p.Params[i].Open {
			decls.Params[p.Params[i].Name] = p.Params[i].Type
		}
	}
	env, err := expr.NewEnv(decls)
	if err != nil {
		return "", fmt.Errorf("declare the params: %w", err)
	}
	program, err := env.CompileText(p.Concurrency.Key)
	if err != nil {
		return "", err
	}
	return program.Text(expr.Values{Params: values})
}
