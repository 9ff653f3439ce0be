package advance

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestOnlyWhatReadsSealedValuesNeedsTheKey(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{
		Params: []plan.Param{{Name: "open", Open: true}, {Name: "secret"}},
		Tasks: []plan.Task{
			{Name: "up", Outputs: []plan.Output{{Name: "score", Open: true}, {Name: "model"}}},
			{Name: "none"},
			{Name: "open", Reads: plan.Reads{Params: []string{"open"}, Outputs: []plan.OutputRef{{Task: "up", Output: "score"}}}},
			{Name: "param", Reads: plan.Reads{Params: []string{"open", "secret"}}},
			{Name: "output", Reads: plan.Reads{Outputs: []plan.OutputRef{{Task: "up", Output: "model"}}}},
			{Name: "artifact", ArtifactsIn: []plan.ArtifactIn{{Name: "in", Task: "up", Artifact: "out"}}},
		},
	}
	sealed := map[string]bool{"param": true, "output": true, "artifact": true}
	for i := range p.Tasks {
		require.Equal(t, sealed[p.Tasks[i].Name], requirementOf(p, &p.Tasks[i]).Sealed, p.Tasks[i].Name)
	}
}

func TestAnAgentMeetsWhatItHas(t *testing.T) {
	t.Parallel()
	s := &session{labels: map[string]string{"zone": "a"}, slots: 4, cpuMillis: 2000, memoryBytes: 100, gpus: 1, gpuType: "a100"}
	for name, x := range map[string]struct {
		req  Requirement
		want bool
	}{
		"nothing":   {Requirement{}, true},
		"all":       {Requirement{Select: map[string]string{"zone": "a"}, Slots: 4, CPUMillis: 2000, MemoryBytes: 100, GPUs: 1, GPUTypes: []string{"h100", "a100"}}, true},
		"label":     {Requirement{Select: map[string]string{"zone": "b"}}, false},
		"slots":     {Requirement{Slots: 5}, false},
		"cpu":       {Requirement{CPUMillis: 2001}, false},
		"memory":    {Requirement{MemoryBytes: 101}, false},
		"gpus":      {Requirement{GPUs: 2}, false},
		"any case":  {Requirement{GPUTypes: []string{"A100"}}, true},
		"gpu types": {Requirement{GPUTypes: []string{"h100"}}, false},
		"key":       {Requirement{Sealed: true}, false},
	} {
		require.Equal(t, x.want, s.meets(x.req), name)
	}
}
