package advance

import (
	"slices"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// readsAny reports whether an attempt of a task asks for values. An instance of a
// template does: what the step that added it gave it.
func readsAny(t *plan.Task) bool {
	r := &t.Reads
	return len(r.Params) > 0 || len(r.Outputs) > 0 || len(r.Artifacts) > 0 || len(r.States) > 0 || len(t.ArtifactsIn) > 0 || t.Template
}

// readsSealed reports whether any value of what is read is sealed: only an agent
// that holds the workspace's key can read it.
func readsSealed(p *plan.Plan, r *plan.Reads) bool {
	if len(r.Artifacts) > 0 { // their URIs are
		return true
	}
	for _, name := range r.Params {
		if slices.ContainsFunc(p.Params, func(x plan.Param) bool { return x.Name == name && !x.Open }) {
			return true
		}
	}
	for _, ref := range r.Outputs {
		up, _, ok := p.Task(ref.Task)
		if ok && slices.ContainsFunc(up.Outputs, func(o plan.Output) bool { return o.Name == ref.Output && !o.Open }) {
			return true
		}
	}
	return false
}

// decisionOf is what a decision asks of an agent: no slot, and the key if it
// reads or makes anything sealed.
func decisionOf(p *plan.Plan, t *plan.Task) Requirement {
	sealed := readsSealed(p, &t.Asked) || len(t.With) > 0 || (t.Approve != nil && t.Approve.Message != "")
	return Requirement{Sealed: sealed || (t.ForEach != nil && t.ForEach.Artifact != nil)}
}

// everyInfo lists the infos of tasks and of their decisions.
func everyInfo(tasks []taskInfo) []*taskInfo {
	out := make([]*taskInfo, 0, len(tasks))
	for i := range tasks {
		out = append(out, &tasks[i])
		if tasks[i].asks != nil {
			out = append(out, tasks[i].asks)
		}
	}
	return out
}
