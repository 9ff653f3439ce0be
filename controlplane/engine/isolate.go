package engine

import (
	"slices"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Isolate is the seed of a run in which one task runs alone, with what the tasks
// that it reads left in another run of the same version. missing names those of
// them that left nothing that can be taken over: maps, loops and groups among
// them, whose parts would have to run.
func (g *Graph) Isolate(run id.UUID, s *State, only int32) (seed *Seed, missing []string) {
	r := &Reuse{Run: run, Graph: g, State: s}
	seed = &Seed{From: run, Runs: []id.UUID{run}, Only: &only}
	if s.Seed != nil {
		seed.Runs = append(seed.Runs, s.Seed.Runs...)
	}
	t := &g.Plan.Tasks[only]
	reads := map[string]bool{}
	for _, ref := range slices.Concat(t.Reads.Outputs, t.Asked.Outputs) {
		reads[ref.Task] = true
	}
	for _, in := range t.ArtifactsIn {
		reads[in.Task] = true
	}
	for i := range g.top {
		name := g.nodeName(i)
		ended := int(i) < len(s.Tasks) && slices.Contains([]TaskState{TaskSucceeded, TaskCached, TaskReused}, s.Tasks[i].State)
		switch {
		case i == only:
		case ended && g.nodes[i].layer == layerWork:
			seed.Tasks = append(seed.Tasks, SeedTask{Task: i, Origin: r.where(i)})
		case reads[name]:
			missing = append(missing, name)
		}
	}
	return seed, missing
}
