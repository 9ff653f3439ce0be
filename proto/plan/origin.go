package plan

import "strings"

// Origin follows an output that is read to the task that leaves it: through the
// groups that hand it out, to a step's or a signal's own. Maps are the tasks with
// for_each on the way, outermost first: what is read is one list of lists for
// them. False for what the plan does not have.
func (p *Plan) Origin(ref OutputRef) (leaf OutputRef, maps []int, ok bool) {
	for range p.Tasks { // no way is longer
		t, i, known := p.Task(ref.Task)
		if !known {
			return OutputRef{}, nil, false
		}
		if t.ForEach != nil {
			maps = append(maps, i)
		}
		declared, known := t.Output(ref.Output)
		if !known {
			return OutputRef{}, nil, false
		}
		if declared.From == nil {
			return ref, maps, true
		}
		ref = *declared.From
	}
	return OutputRef{}, nil, false
}

// Output returns the declared output of that name.
func (t *Task) Output(name string) (Output, bool) {
	for _, o := range t.Outputs {
		if o.Name == name {
			return o, true
		}
	}
	return Output{}, false
}

// Enclosing is the chain of groups around task i, outermost first, and i itself.
func (p *Plan) Enclosing(i int) []int {
	chain := []int{i}
	for in := p.Tasks[i].In; in > 0 && len(chain) <= len(p.Tasks); in = p.Tasks[in-1].In {
		chain = append([]int{in - 1}, chain...)
	}
	return chain
}

// ShortName is a task's name within its group.
func (t *Task) ShortName() string { return t.Name[strings.LastIndexByte(t.Name, '/')+1:] }
