package pipeline

import (
	"fmt"
	"strings"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

var concurrencyKeys = keys{where: "concurrency", known: []string{"key", "limit", "policy"}}

// readConcurrency reads `{key: "${{ params.dataset }}", limit: 1, policy: queue}`.
// It comes after the params: the key names them.
func (c *compiler) readConcurrency(o object) {
	e, ok := o.get("concurrency")
	if !ok {
		return
	}
	in, ok := c.object(e, concurrencyKeys)
	if !ok {
		return
	}
	out := &plan.Concurrency{}
	if e, ok := in.get("limit"); ok {
		n, _ := c.integer(e, 1, plan.MaxConcurrency)
		out.Limit = int(n)
	} else {
		c.missing(in, "limit", "how many runs may go on at once, as in `limit: 1`")
	}
	if e, ok := in.get("policy"); ok {
		policy, _ := choice(c, e, plan.ConcurrencyPolicies()...)
		if policy != plan.PolicyQueue { // the default has one spelling: none
			out.Policy = policy
		}
	}
	if e, ok := in.get("key"); ok {
		out.Key = c.openKey(e)
	}
	c.plan.Concurrency = out
}

// openKey reads a template that the server evaluates, so that it may read open
// params only.
func (c *compiler) openKey(e entry) string {
	text, ok := c.rawText(e, `text over open params, as in "${{ params.dataset }}"`)
	if !ok {
		return ""
	}
	if text == "" || len(text) > expr.MaxExpr || strings.ContainsFunc(text, isControl) {
		c.fail(e.path, e.where(), Problem{Message: "not a key", Want: fmt.Sprintf("one line of at most %d bytes", expr.MaxExpr)})
		return ""
	}
	if !strings.Contains(text, exprOpen) {
		return text
	}
	program := c.compileText(e, newEnv(openDecls(c.plan.Params, func(p *plan.Param) plan.Type { return typeOr(p.Type, plan.TypeJSON) })))
	if program == nil {
		return ""
	}
	for _, name := range program.References().Params {
		c.params[name].read = true
	}
	return text
}

// openDecls is what can be read without an agent.
func openDecls(params []plan.Param, typeOf func(*plan.Param) plan.Type) expr.Decls {
	const agent = "this is evaluated without an agent, which alone could read it"
	d := expr.Decls{
		Params: map[string]plan.Type{}, Exit: true,
		Refused: map[string]string{"tasks": agent, "run": "this is evaluated before the run is there"},
	}
	for i := range params {
		p := &params[i]
		d.Params[p.Name] = typeOf(p)
		if !p.Open {
			d.Refused["params."+p.Name] = "it is sealed, and this is evaluated without an agent; declare it `open: true`"
		}
	}
	return d
}
