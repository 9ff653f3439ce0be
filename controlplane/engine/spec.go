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
// pipeline's), and every field that is not named below: what a later release
// adds counts until somebody decides otherwise, for to run a task again is the
// smaller mistake.
//
// Out is what decides whether, where, when and how often the task runs, not what
// it does: its name and its place in the graph (needs, rule, exit), pool,
// priority, labels, select, resources, retries, timeouts, tolerate. The values
// of its inputs are not part of it either: a resume compares those by
// themselves. Defaults and bounds of params are such values.
func SpecDigest(p *plan.Plan, t *plan.Task) (plan.Digest, error) {
	spec := struct {
		Task   plan.Task    `json:"task"`
		Source *plan.Source `json:"source,omitempty"`
		Params []specParam  `json:"params,omitempty"`
	}{Task: withoutPlace(t), Source: t.Source}
	if spec.Source == nil {
		spec.Source = p.Source
	}
	spec.Task.Source = nil
	for i := range p.Params {
		if param := &p.Params[i]; slices.Contains(t.Reads.Params, param.Name) {
			spec.Params = append(spec.Params, specParam{param.Name, param.Type})
		}
	}
	slices.SortFunc(spec.Params, func(a, b specParam) int { return cmp.Compare(a.Name, b.Name) })
	text, err := json.Marshal(spec)
	if err != nil {
		return plan.Digest{}, fmt.Errorf("digest task %q: %w", t.Name, err)
	}
	return plan.DigestOf(append([]byte("signalbox.spec/1\n"), text...)), nil
}

// specParam is what a task's templates depend on of a param that they read.
type specParam struct {
	Name string    `json:"name"`
	Type plan.Type `json:"type"`
}

// withoutPlace is a task without what SpecDigest leaves out.
func withoutPlace(t *plan.Task) plan.Task {
	out := *t
	out.Name, out.Needs, out.Rule, out.Exit = "", nil, "", ""
	out.Pool, out.Priority, out.Labels, out.Select = "", 0, nil, nil
	out.Resources, out.Retry, out.Timeouts, out.Tolerate = plan.Resources{}, plan.Retry{}, plan.Timeouts{}, false
	return out
}
