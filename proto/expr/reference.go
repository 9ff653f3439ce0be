package expr

import (
	"cmp"
	"slices"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// ArtifactRef names an artifact of another task.
type ArtifactRef struct {
	Task     string
	Artifact string
}

// References lists what an expression reads, sorted and without repeats. What it
// asks for with has() counts as read.
type References struct {
	Params    []string
	Outputs   []plan.OutputRef
	Artifacts []ArtifactRef
	States    []string // of tasks
	Item      bool
	Run       bool
}

// Merge adds what another expression reads.
func (r References) Merge(other References) References {
	merged := References{
		Params:    slices.Concat(r.Params, other.Params),
		Outputs:   slices.Concat(r.Outputs, other.Outputs),
		Artifacts: slices.Concat(r.Artifacts, other.Artifacts),
		States:    slices.Concat(r.States, other.States),
		Item:      r.Item || other.Item,
		Run:       r.Run || other.Run,
	}
	slices.Sort(merged.Params)
	slices.SortFunc(merged.Outputs, func(a, b plan.OutputRef) int {
		return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Output, b.Output))
	})
	slices.SortFunc(merged.Artifacts, func(a, b ArtifactRef) int {
		return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Artifact, b.Artifact))
	})
	slices.Sort(merged.States)
	merged.States = slices.Compact(merged.States)
	merged.Params = slices.Compact(merged.Params)
	merged.Outputs = slices.Compact(merged.Outputs)
	merged.Artifacts = slices.Compact(merged.Artifacts)
	return merged
}

// Tasks names the tasks whose results are read, sorted and without repeats.
func (r References) Tasks() []string {
	tasks := slices.Clone(r.States)
	for _, output := range r.Outputs {
		tasks = append(tasks, output.Task)
	}
	for _, artifact := range r.Artifacts {
		tasks = append(tasks, artifact.Task)
	}
	slices.Sort(tasks)
	return slices.Compact(tasks)
}
