package pipeline

import (
	"fmt"

	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// linkLeft looks up what the pipeline as a whole leaves to a task that runs it.
func (c *compiler) linkLeft() {
	const want = `an output of one of the tasks, as in "${{ tasks.train.outputs.auc }}"`
	for _, f := range c.left {
		if _, ok := c.rawText(f, want); !ok {
			continue
		}
		program := c.compileText(f, c.scope.at(expr.Place{}))
		if program == nil {
			continue
		}
		refs, plain := program.Plain()
		if !plain || len(refs.Outputs) != 1 {
			c.fail(f.path, f.value, Problem{Message: "a pipeline leaves what its tasks leave, as it is", Want: want})
			continue
		}
		from := refs.Outputs[0]
		if _, maps, ok := c.view.Origin(from); ok && len(maps) > 0 {
			c.fail(f.path, f.value, Problem{
				Message: fmt.Sprintf("`%s` leaves one output `%s` for each of its items", c.view.Tasks[maps[0]].ShortName(), from.Output),
				Hint:    "a task that takes them in can leave one list of them",
			})
			continue
		}
		leaf, _ := c.tasks[from.Task].Output(from.Output)
		c.plan.Outputs = append(c.plan.Outputs, plan.Output{Name: f.name, Type: program.Type(), Open: leaf.Open, From: &from})
	}
}
