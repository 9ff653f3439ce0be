package expr

import (
	"maps"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// Place is where in a plan an expression stands, as far as what it may read
// depends on it. Places that are == may read the same.
type Place struct {
	group   int       // whose tasks come first: index in Plan.Tasks plus one
	exit    bool      // of exit handlers
	apart   bool      // of templates, which read no tasks
	item    plan.Type // empty where there is none
	outputs int       // whose own outputs are read: index plus one
}

// In is the place of what task i does: its environment, its message, its params,
// the moment it waits for, its ItemIf. Its `item` is its own, else that of the
// next map around it.
func In(p *plan.Plan, i int) Place { return at(p, i, i) }

// Before is the place of what is asked before the task's own items exist: If and
// for_each. Its `item` is that of a map around it.
func Before(p *plan.Plan, i int) Place { return at(p, i, p.Tasks[i].In-1) }

// Until is the place of a loop's condition: the tasks of its body come first,
// and its own `outputs` are those of the pass that ended.
func Until(p *plan.Plan, i int) Place {
	place := In(p, i)
	if p.Tasks[i].Group {
		place.group = i + 1
	}
	place.outputs = i + 1
	return place
}

// Within is the place of what a group hands out: its own tasks come first.
func Within(p *plan.Plan, i int) Place {
	place := In(p, i)
	place.group = i + 1
	return place
}

// at is the place of task i whose item is that of the next map from task m on
// outwards; -1 is none.
func at(p *plan.Plan, i, m int) Place {
	t := &p.Tasks[i]
	place := Place{group: t.In, exit: t.Exit != "", apart: t.Template}
	for ; m >= 0; m = p.Tasks[m].In - 1 {
		if each := p.Tasks[m].ForEach; each != nil {
			place.item = each.Type
			break
		}
	}
	return place
}

// Decls is what expressions at a place of a plan may read. A task's own group
// comes first, then the groups around it: a name inside hides the same outside.
func (place Place) Decls(p *plan.Plan) Decls {
	decls := Decls{Params: map[string]plan.Type{}, Tasks: map[string]TaskDecl{}, Item: place.item, Exit: place.exit, Apart: place.apart}
	for i := range p.Params {
		decls.Params[p.Params[i].Name] = p.Params[i].Type
	}
	if place.outputs > 0 {
		t := &p.Tasks[place.outputs-1]
		own := declare(t, false)
		decls.Own = &own
	}
	if place.apart {
		return decls
	}
	for group := place.group; ; group = p.Tasks[group-1].In {
		visible := map[string]TaskDecl{}
		for i := range p.Tasks {
			if t := &p.Tasks[i]; t.In == group && t.Exit == "" && !t.Template {
				visible[t.ShortName()] = declare(t, t.ForEach != nil)
			}
		}
		maps.DeleteFunc(visible, func(name string, _ TaskDecl) bool {
			_, hidden := decls.Tasks[name]
			return hidden
		})
		maps.Copy(decls.Tasks, visible)
		if group == 0 {
			return decls
		}
	}
}

// declare is what a task leaves to others, a map for all its items together.
func declare(t *plan.Task, isMap bool) TaskDecl {
	decl := TaskDecl{Name: t.Name, Map: isMap, Outputs: map[string]plan.Type{}, Artifacts: map[string]plan.Type{}}
	for _, o := range t.Outputs {
		decl.Outputs[o.Name] = o.Type
		if isMap {
			decl.Outputs[o.Name] = plan.Collected(o.Type)
		}
	}
	for _, a := range t.ArtifactsOut {
		decl.Artifacts[a.Name] = a.Type
	}
	return decl
}
