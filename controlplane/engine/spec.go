package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// SpecDigest is the identity of what a task does: equal for two versions whose
// task would do the same with the same inputs. A resumed run reuses a task only
// if it is unchanged, and a diff of two runs says which tasks it changed for.
//
// In: the script or command, env and secrets as templates and references, what
// is read (params with their types, outputs, artifacts), what is left (outputs,
// artifacts, their types), the code's source (the task's own, else the
// pipeline's), conditions, what a map or loop goes over; of a group all that its
// inner tasks do and how they hang together. And every field that is not named
// below: what a later release adds counts until somebody decides otherwise, for
// to run a task again is the smaller mistake.
//
// Out is where, when and how often the task runs: its name and its place in the
// graph (needs, rule, exit, in, template), pool, priority, labels, select,
// resources, retries, timeouts, tolerate; of a map how many children run or may
// fail at once. The values of its inputs are not part of it either: a resume
// compares those by themselves. Defaults and bounds of params are such values.
func SpecDigest(p *plan.Plan, t *plan.Task) (plan.Digest, error) {
	text, err := json.Marshal(specOf(p, t))
	if err != nil {
		return plan.Digest{}, fmt.Errorf("digest task %q: %w", t.Name, err)
	}
	return plan.DigestOf(append([]byte("signalbox.spec/1\n"), text...)), nil
}

// spec is what SpecDigest hashes.
type spec struct {
	Task   plan.Task    `json:"task"`
	Source *plan.Source `json:"source,omitempty"`
	Params []specParam  `json:"params,omitempty"`
	Inner  []innerSpec  `json:"inner,omitempty"`
}

// specParam is what a task's templates depend on of a param that they read.
type specParam struct {
	Name string    `json:"name"`
	Type plan.Type `json:"type"`
}

// innerSpec is a task of a group: its place in the group is what the group does.
type innerSpec struct {
	Name  string    `json:"name"`
	Needs []string  `json:"needs,omitempty"`
	Rule  plan.Rule `json:"rule,omitempty"`
	spec
}

func specOf(p *plan.Plan, t *plan.Task) spec {
	out := spec{Task: withoutPlace(t), Source: cmp.Or(t.Source, p.Source)}
	out.Task.Source = nil
	for i := range p.Params {
		param := &p.Params[i]
		if slices.Contains(t.Reads.Params, param.Name) || slices.Contains(t.Asked.Params, param.Name) {
			out.Params = append(out.Params, specParam{param.Name, param.Type})
		}
	}
	slices.SortFunc(out.Params, func(a, b specParam) int { return cmp.Compare(a.Name, b.Name) })
	if !t.Group {
		return out
	}
	_, own, _ := p.Task(t.Name)
	for i := range p.Tasks {
		// Inner tasks stand behind their group, so this ends.
		if inner := &p.Tasks[i]; inner.In == own+1 && i > own {
			in := innerSpec{Name: inner.Name, Rule: inner.Rule, spec: specOf(p, inner)}
			for _, up := range inner.Needs {
				in.Needs = append(in.Needs, p.Tasks[up].Name)
			}
			out.Inner = append(out.Inner, in)
		}
	}
	return out
}

// withoutPlace is a task without what SpecDigest leaves out.
func withoutPlace(t *plan.Task) plan.Task {
	out := *t
	out.Name, out.Needs, out.Rule, out.Exit, out.In, out.Template = "", nil, "", "", 0, false
	out.Pool, out.Priority, out.Labels, out.Select = "", 0, nil, nil
	out.Resources, out.Retry, out.Timeouts, out.Tolerate = plan.Resources{}, plan.Retry{}, plan.Timeouts{}, false
	if t.ForEach != nil {
		each := *t.ForEach
		each.MaxParallel, each.Tolerate, each.TolerateMilli, each.StopOnFailure, each.Max = 0, 0, 0, false, 0
		out.ForEach = &each
	}
	return out
}
