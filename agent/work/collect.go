package work

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/agent/artifact"
	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/step"
	"github.com/signalboxhq/signalbox/agent/value"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// collect reads what a step that succeeded has left. A declared output or
// artifact that is missing fails it after all.
type collect struct {
	artifacts *artifact.Store
	workspace func() *value.Workspace
}

func (s *collect) Handle(_ context.Context, a *Attempt) *step.Verdict {
	if a.Lease.GangRank > 0 {
		return nil // member 0 speaks for all
	}
	if names := a.Folder.Undeclared(a.Task.Outputs); len(names) > 0 {
		a.Log.Note(fmt.Sprintf("not declared as outputs, so left out: %s", strings.Join(names, ", ")))
	}
	verdict := s.outputs(a)
	for _, declared := range a.Task.ArtifactsOut {
		if verdict == nil {
			verdict = s.artifact(a, declared)
		}
	}
	if verdict == nil {
		verdict = s.planned(a)
	}
	if verdict == nil {
		return nil
	}
	// The step ran all the same, and is billed.
	verdict.Started, verdict.Ran, verdict.ExitCode = a.Verdict.Started, a.Verdict.Ran, a.Verdict.ExitCode
	return verdict
}

func (s *collect) outputs(a *Attempt) *step.Verdict {
	outputs, err := a.Folder.Outputs(a.Task.Outputs)
	if wrong, ok := errors.AsType[*step.OutputError](err); ok {
		return failed(wrong.Reason, wrong.Detail)
	}
	if err != nil {
		return lost("the outputs could not be read", err)
	}
	for _, declared := range a.Task.Outputs {
		// An output leaves the machine, and a secret must not. To hide it in the
		// output would hand a wrong value to the next task.
		if a.Redactor.Holds(plan.Text(outputs[declared.Name])) || a.Redactor.Holds(string(outputs[declared.Name])) {
			text := fmt.Sprintf("output %q holds a secret of this task; hand on a reference to it", declared.Name)
			return failed(text, text)
		}
	}
	a.Outputs = outputs
	return nil
}

// planned takes in the tasks that the step adds to its run.
func (s *collect) planned(a *Attempt) *step.Verdict {
	list, err := a.Folder.Planned(a.Program.Plan)
	if wrong, ok := errors.AsType[*step.OutputError](err); ok {
		return failed(wrong.Reason, wrong.Detail)
	}
	if err != nil {
		return lost("the planned tasks could not be read", err)
	}
	for _, task := range list {
		planned := link.Planned{ID: task.ID, Template: task.Template, Needs: task.Needs}
		for _, name := range slices.Sorted(maps.Keys(task.Env)) {
			if a.Redactor.Holds(task.Env[name]) {
				text := fmt.Sprintf("$SB_PLAN: env %s of task %q holds a secret of this task; the template names its own under `secrets:`", name, task.ID)
				return failed(text, text)
			}
			sealed, err := s.workspace().SealPlanned(name, task.Env[name])
			if err != nil {
				return lost("a planned task could not be sealed", err)
			}
			planned.Env = append(planned.Env, sealed)
		}
		a.Planned = append(a.Planned, planned)
	}
	return nil
}

func (s *collect) artifact(a *Attempt, declared plan.ArtifactOut) *step.Verdict {
	path, err := a.Folder.Out(declared.Name, declared.Path)
	if err != nil {
		return failed(err.Error(), err.Error())
	}
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		where := "$SB_OUT/" + declared.Name
		if declared.Path != "" {
			where = declared.Path
		}
		text := fmt.Sprintf("artifact %q is declared and missing: the step did not leave %s", declared.Name, where)
		return failed(text, text)
	}
	key := artifact.Key{Run: a.Lease.Run, Task: a.Lease.Task, Attempt: a.Lease.Attempt, Name: declared.Name}
	mayMove := declared.Path == "" || a.Folder.OwnsWork()
	content, err := s.artifacts.Keep(key, path, mayMove && !s.nested(a, declared))
	if err != nil {
		reason := fmt.Sprintf("artifact %q could not be kept", declared.Name)
		return failed(reason, reason+": "+err.Error())
	}
	sealed, err := s.workspace().SealArtifact(a.Lease.Task, declared, s.artifacts.URI(key), content.Digest[:], content.Size)
	if err != nil {
		return lost("an artifact could not be sealed", err)
	}
	a.Artifacts = append(a.Artifacts, sealed)
	return nil
}

// nested reports whether another artifact lies at the same path or below it, so
// that moving this one would take that away.
func (s *collect) nested(a *Attempt, declared plan.ArtifactOut) bool {
	if declared.Path == "" {
		return false
	}
	return slices.ContainsFunc(a.Task.ArtifactsOut, func(other plan.ArtifactOut) bool {
		return other.Name != declared.Name && other.Path != "" &&
			(strings.HasPrefix(other.Path+"/", declared.Path+"/") || strings.HasPrefix(declared.Path+"/", other.Path+"/"))
	})
}
