package runapi

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/param"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

const (
	same          = runv1.Likeness_LIKENESS_SAME
	differs       = runv1.Likeness_LIKENESS_DIFFERS
	notComparable = runv1.Likeness_LIKENESS_NOT_COMPARABLE
	onlyInRun     = runv1.Likeness_LIKENESS_ONLY_IN_RUN
	onlyInOther   = runv1.Likeness_LIKENESS_ONLY_IN_OTHER
)

// mayReadData reports whether the values of open params may be shown.
func mayReadData(by caller.Caller) bool {
	return authz.Allowed(by.Principal, authz.PermDataRead, authz.ScopeWorkspace)
}

// diff compares two runs, in the order of the first one's file.
func diff(one, two *rundb.Side, values bool) (*runv1.DiffRunsResponse, error) {
	res := &runv1.DiffRunsResponse{Run: runMessage(&one.Run), Other: runMessage(&two.Run), Labels: diffLabels(one.Run.Labels, two.Run.Labels)}
	var err error
	if res.Params, err = diffParams(one, two, values); err != nil {
		return nil, err
	}
	res.Tasks, err = diffTasks(one, two)
	return res, err
}

// union lists the keys of two maps, those of the order first.
func union[V any](order []string, one, two map[string]V) []string {
	for _, m := range []map[string]V{one, two} {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !slices.Contains(order, key) {
				order = append(order, key)
			}
		}
	}
	return order
}

func diffLabels(one, two map[string]string) []*runv1.LabelDifference {
	var out []*runv1.LabelDifference
	for _, key := range union(nil, one, two) {
		a, inOne := one[key]
		b, inTwo := two[key]
		out = append(out, &runv1.LabelDifference{Key: key, Likeness: likeness(inOne, inTwo, a == b), Value: a, Other: b})
	}
	return out
}

// likeness is that of two things that can be compared.
func likeness(inOne, inTwo, equal bool) runv1.Likeness {
	switch {
	case !inTwo:
		return onlyInRun
	case !inOne:
		return onlyInOther
	case equal:
		return same
	}
	return differs
}

func diffParams(one, two *rundb.Side, values bool) ([]*runv1.ParamDifference, error) {
	a, order, err := paramsOf(one)
	if err != nil {
		return nil, err
	}
	b, _, err := paramsOf(two)
	if err != nil {
		return nil, err
	}
	var out []*runv1.ParamDifference
	for _, name := range union(order, a, b) {
		d := &runv1.ParamDifference{Name: name, Likeness: alike(a[name], b[name]), Value: a[name], Other: b[name]}
		for _, v := range []*runv1.Value{d.GetValue(), d.GetOther()} {
			if v != nil && (!values || v.GetSealed() != nil) {
				v.Content = nil
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// paramsOf are the params that a run had, by name and in the order of the file.
func paramsOf(s *rundb.Side) (map[string]*runv1.Value, []string, error) {
	var given runv1.Params
	if err := proto.Unmarshal(s.Params, &given); err != nil {
		return nil, nil, fmt.Errorf("decode params: %w", err)
	}
	list, err := param.WithDefaults(s.Plan.Params, given.GetValues())
	if err != nil {
		return nil, nil, err
	}
	out := map[string]*runv1.Value{}
	var order []string
	for _, v := range list {
		out[v.GetName()] = v
		order = append(order, v.GetName())
	}
	return out, order, nil
}

// alike compares two values without opening any. The same envelope is the same
// value; two envelopes of values of one size may be either.
func alike(a, b *runv1.Value) runv1.Likeness {
	if a == nil || b == nil {
		return likeness(a != nil, b != nil, false)
	}
	sealed := a.GetSealed() != nil || b.GetSealed() != nil
	switch {
	case !sealed:
		return likeness(true, true, bytes.Equal(a.GetOpenJson(), b.GetOpenJson()))
	case bytes.Equal(a.GetSealed(), b.GetSealed()):
		return same
	}
	if x, y := plainSize(a), plainSize(b); x != 0 && y != 0 && x != y {
		return differs
	}
	return notComparable
}

// plainSize is the length of what is sealed, which an envelope tells; 0 where it
// does not.
func plainSize(v *runv1.Value) int {
	if v.GetSealed() == nil {
		return len(v.GetOpenJson())
	}
	info, err := seal.Inspect(v.GetSealed())
	if err != nil {
		return 0
	}
	return info.Size
}

func diffTasks(one, two *rundb.Side) ([]*runv1.TaskDifference, error) {
	a, b := byName(one.Tasks), byName(two.Tasks)
	order := make([]string, len(one.Tasks))
	for i := range one.Tasks {
		order[i] = one.Tasks[i].Name
	}
	for i := range two.Tasks {
		if a[two.Tasks[i].Name] == nil {
			order = append(order, two.Tasks[i].Name)
		}
	}
	specs := map[*plan.Task]plan.Digest{}
	var out []*runv1.TaskDifference
	for _, name := range order {
		x, y := a[name], b[name]
		d := &runv1.TaskDifference{Name: name, Spec: likeness(x != nil, y != nil, true)}
		if x != nil && y != nil {
			equal, err := sameSpec(specs, one.Plan, two.Plan, name)
			if err != nil {
				return nil, err
			}
			d.Spec = likeness(true, true, equal)
		}
		d.State, d.Attempts, d.DurationMs, d.Reason = facts(x)
		d.OtherState, d.OtherAttempts, d.OtherDurationMs, d.OtherReason = facts(y)
		out = append(out, d)
	}
	return out, nil
}

func byName(tasks []rundb.Task) map[string]*rundb.Task {
	out := make(map[string]*rundb.Task, len(tasks))
	for i := range tasks {
		out[tasks[i].Name] = &tasks[i]
	}
	return out
}

func facts(t *rundb.Task) (state string, attempts uint32, ms int64, reason string) {
	if t == nil {
		return "", 0, 0, ""
	}
	for i := range t.Attempts {
		if x := &t.Attempts[i]; !x.StartedAt.IsZero() && !x.FinishedAt.IsZero() {
			ms = x.FinishedAt.Sub(x.StartedAt).Milliseconds()
		}
	}
	return t.State, uint32(len(t.Attempts)), ms, t.Reason
}

// sameSpec reports whether a task does the same in both plans. Instances of one
// task of a plan, `train[3]`, are digested once.
func sameSpec(specs map[*plan.Task]plan.Digest, one, two *plan.Plan, path string) (bool, error) {
	name := planName(path)
	a, _, inOne := one.Task(name)
	b, _, inTwo := two.Task(name)
	if !inOne || !inTwo {
		return inOne == inTwo, nil // added by a step: what it was made from is compared by itself
	}
	for p, t := range map[*plan.Plan]*plan.Task{one: a, two: b} {
		if _, known := specs[t]; known {
			continue
		}
		d, err := engine.SpecDigest(p, t)
		if err != nil {
			return false, err
		}
		specs[t] = d
	}
	return specs[a] == specs[b], nil
}

// planName is the name in the plan of a task's path: `fold/train` of
// `fold[3]/train`.
func planName(path string) string {
	var out []byte
	inside := false
	for _, c := range []byte(path) {
		switch {
		case c == '[':
			inside = true
		case c == ']':
			inside = false
		case !inside:
			out = append(out, c)
		}
	}
	return string(out)
}
