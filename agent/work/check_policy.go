package work

import (
	"context"
	"maps"
	"path/filepath"
	"slices"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/policy"
	"github.com/signalboxhq/signalbox/agent/step"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// checkPolicy asks the customer's own file.
type checkPolicy struct {
	policy  *policy.Policy
	sources string // what a relative source path starts from
}

func (s *checkPolicy) Handle(_ context.Context, a *Attempt) *step.Verdict {
	if a.Lease.Decision != link.DecideNothing {
		if err := s.policy.CheckPipeline(a.Program.Plan.Name); err != nil {
			return refused(step.CausePolicy, err.Error(), err.Error())
		}
		return nil
	}
	a.Source = s.source(a.Program.Plan, a.Task)
	a.Limits = limitsOf(a.Task, a.Lease.RunLimit, s.policy)
	facts := policy.Task{
		Pipeline: a.Program.Plan.Name, Secrets: slices.Sorted(maps.Values(a.Task.Secrets)), Path: a.Source,
		Env: slices.Concat(slices.Sorted(maps.Keys(a.Task.Env)), slices.Sorted(maps.Keys(a.Task.Secrets))),
		Run: a.Limits.Run, CPUMillis: a.Task.Resources.CPUMillis, MemoryBytes: a.Task.Resources.MemoryBytes,
	}
	if len(a.Task.Command) > 0 {
		facts.Command = a.Task.Command[0]
	}
	if err := s.policy.Check(facts); err != nil {
		return refused(step.CausePolicy, err.Error(), err.Error())
	}
	return nil
}

// source is the folder that the step starts in: the task's, else the pipeline's.
func (s *checkPolicy) source(p *plan.Plan, task *plan.Task) string {
	source := task.Source
	if source == nil {
		source = p.Source
	}
	switch {
	case source == nil || source.Path == "":
		return ""
	case filepath.IsAbs(source.Path):
		return filepath.Clean(source.Path)
	}
	return filepath.Join(s.sources, source.Path)
}
