package expr

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// The roots of what expressions read.
const (
	rootParams = "params"
	rootTasks  = "tasks"
	rootItem   = "item"
	rootRun    = "run"

	underOutputs   = "outputs" // also a root, where a loop reads its own
	underArtifacts = "artifacts"
	underState     = "state"
)

// runFields are the fields of `run`.
var runFields = map[string]plan.Type{
	"id":       plan.TypeString,
	"number":   plan.TypeInt,
	"pipeline": plan.TypeString,
	"version":  plan.TypeString,
	"url":      plan.TypeURI,
	"outcome":  plan.TypeString,
}

// name is something that an expression reads, resolved.
type name struct {
	path     []string // tasks, prepare, outputs, shards
	task     string   // whose it is, as Values know it
	declared plan.Type
}

func (n name) String() string { return strings.Join(n.path, ".") }

func (n name) last() string { return n.path[len(n.path)-1] }

// kind is what of all that can be read n is: params, item, run, outputs,
// artifacts or state.
func (n name) kind() string {
	if n.path[0] == rootTasks {
		return n.path[2]
	}
	return n.path[0]
}

// short is n as people say it: `evaluate.f1`.
func (n name) short() string {
	switch n.path[0] {
	case rootTasks:
		return n.path[1] + "." + n.last()
	case rootRun:
		return n.String()
	}
	return n.last()
}

// references is n as the only thing that is read.
func (n name) references() References {
	switch n.kind() {
	case rootParams:
		return References{Params: []string{n.path[1]}}
	case rootItem:
		return References{Item: true}
	case rootRun:
		return References{Run: true}
	case underArtifacts:
		return References{Artifacts: []ArtifactRef{{Task: n.task, Artifact: n.last()}}}
	case underState:
		return References{States: []string{n.task}}
	}
	return References{Outputs: []plan.OutputRef{{Task: n.task, Output: n.last()}}}
}

// step is one name on the way down from a root, with its offset in the text.
type step struct {
	name   string
	offset int
}

// isRoot reports whether a name is a root, or is often taken for one.
func (d *Decls) isRoot(root string) bool {
	switch root {
	case rootParams, rootTasks, rootItem, rootRun, "secrets", "env":
		return true
	case underOutputs:
		return d.Own != nil
	}
	return false
}

// resolve finds what path begins with; path[0] is a root. What follows the
// returned name's own path are fields within its value.
func (d *Decls) resolve(path []step) (name, *Error) {
	if wrong := d.refused(path); wrong != nil {
		return name{}, wrong
	}
	root := path[0]
	switch root.name {
	case rootParams:
		return lookUp(path[:1], path[1:], "param", d.Params)
	case rootTasks:
		return d.resolveTask(path)
	case underOutputs:
		found, wrong := lookUp(path[:1], path[1:], "output", d.Own.Outputs)
		found.task = d.Own.Name
		return found, wrong
	case rootItem:
		if d.Item == "" {
			return name{}, &Error{Offset: root.offset, Text: "`item` exists only in a task with `for_each`"}
		}
		return name{path: []string{rootItem}, declared: d.Item}, nil
	case rootRun:
		if len(path) > 1 && path[1].name == "outcome" && !d.Exit {
			return name{}, &Error{Offset: path[1].offset, Text: "`run.outcome` is known to exit handlers only"}
		}
		return lookUp(path[:1], path[1:], "field", runFields)
	case "secrets":
		return name{}, &Error{Offset: root.offset, Text: "expressions cannot read secrets; a task names them under `secrets:`"}
	}
	return name{}, &Error{Offset: root.offset, Text: "expressions cannot read the environment; use a param"}
}

func (d *Decls) resolveTask(path []step) (name, *Error) {
	if len(path) < 2 {
		return name{}, &Error{Offset: path[0].offset, Text: "`tasks` alone is no value; write tasks.<task>.outputs.<output>"}
	}
	task := path[1]
	decl, known := d.Tasks[task.name]
	if !known {
		return name{}, unknown(task, "task", fmt.Sprintf("there is no task `%s` to read from here", task.name), d.Tasks)
	}
	if len(path) < 3 {
		return name{}, &Error{Offset: task.offset, Text: "a task alone is no value; write " +
			strings.Join([]string{rootTasks, task.name, underOutputs, "<output>"}, ".")}
	}
	var (
		found name
		wrong *Error
	)
	switch under := path[2]; under.name {
	case underOutputs:
		found, wrong = lookUp(path[:3], path[3:], "output", decl.Outputs)
	case underArtifacts:
		found, wrong = lookUp(path[:3], path[3:], "artifact", decl.Artifacts)
	case underState:
		if decl.Map {
			return name{}, &Error{Offset: under.offset, Text: fmt.Sprintf("`%s` has a state for each of its items, and none of its own", task.name)}
		}
		found = name{path: []string{rootTasks, task.name, underState}, declared: plan.TypeString}
	default:
		return name{}, &Error{
			Offset: under.offset,
			Text:   fmt.Sprintf("a task has `outputs`, `artifacts` and `state`, not `%s`", under.name),
			Near:   Nearest(under.name, []string{underOutputs, underArtifacts, underState}),
		}
	}
	found.task = cmp.Or(decl.Name, task.name)
	return found, wrong
}

// lookUp finds the name that follows a complete prefix.
func lookUp(prefix, rest []step, noun string, declared map[string]plan.Type) (name, *Error) {
	path := make([]string, 0, len(prefix)+1)
	for _, one := range prefix {
		path = append(path, one.name)
	}
	whole := strings.Join(path, ".")
	if len(rest) == 0 {
		return name{}, &Error{
			Offset: prefix[len(prefix)-1].offset,
			Text:   fmt.Sprintf("`%s` alone is no value; write %s.<%s>", whole, whole, noun),
		}
	}
	one := rest[0]
	declaredType, known := declared[one.name]
	if !known {
		text := fmt.Sprintf("there is no %s `%s`", noun, one.name)
		switch noun {
		case "output", "artifact":
			text = fmt.Sprintf("the task has no output `%s`", one.name)
			if len(prefix) > 1 {
				text = fmt.Sprintf("the task `%s` has no %s `%s`", path[1], noun, one.name)
			}
		case "field":
			text = fmt.Sprintf("`run` has no field `%s`", one.name)
		}
		return name{}, unknown(one, noun, text, declared)
	}
	return name{path: append(path, one.name), declared: declaredType}, nil
}

// unknown says that a name does not exist, and which near ones do, or that none
// does.
func unknown[T any](one step, noun, text string, declared map[string]T) *Error {
	names := slices.Sorted(maps.Keys(declared))
	if len(names) == 0 {
		text += fmt.Sprintf(": there are no %ss", noun)
	}
	return &Error{Offset: one.offset, Text: text, Near: Nearest(one.name, names)}
}

// refused looks for the shortest prefix of path that may not be read here.
func (d *Decls) refused(path []step) *Error {
	whole := ""
	for _, one := range path {
		whole = strings.TrimPrefix(whole+"."+one.name, ".")
		if reason, ok := d.Refused[whole]; ok {
			return &Error{Offset: one.offset, Text: fmt.Sprintf("`%s` cannot be read here: %s", whole, reason)}
		}
	}
	return nil
}
