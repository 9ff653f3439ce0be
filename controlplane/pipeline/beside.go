package pipeline

import (
	"fmt"
	"slices"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// BesideItem lists what an item of the map Tasks[i] reads besides the item itself:
// params, and tasks of which it reads what they left or how they ended. Where
// none of these has changed, an equal item is done the same way.
func BesideItem(p *plan.Plan, i int) (params, tasks []string, err error) {
	t := &p.Tasks[i]
	env, err := expr.NewEnv(expr.In(p, i).Decls(p))
	if err != nil {
		return nil, nil, fmt.Errorf("declare what task %q may read: %w", t.Name, err)
	}
	var refs expr.References
	texts := make([]string, 0, len(t.Env)+len(t.With))
	for _, text := range t.Env {
		texts = append(texts, text)
	}
	for _, text := range t.With {
		texts = append(texts, text)
	}
	for _, text := range texts {
		program, err := env.CompileText(text)
		if err != nil {
			return nil, nil, fmt.Errorf("compile what task %q reads: %w", t.Name, err)
		}
		refs = refs.Merge(program.References())
	}
	for _, condition := range []string{t.If, t.ItemIf} {
		if condition == "" {
			continue
		}
		program, err := env.CompileCondition(condition)
		if err != nil {
			return nil, nil, fmt.Errorf("compile the condition of task %q: %w", t.Name, err)
		}
		refs = refs.Merge(program.References())
	}
	tasks = refs.Tasks()
	for _, in := range t.ArtifactsIn {
		tasks = append(tasks, in.Task)
	}
	slices.Sort(tasks)
	return refs.Params, slices.Compact(tasks), nil
}
