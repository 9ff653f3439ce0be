package work

import (
	"context"
	"errors"
	"fmt"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/step"
	"github.com/signalboxhq/signalbox/agent/value"
	"github.com/signalboxhq/signalbox/proto/expr"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// inputSource is what of the link is needed for inputs.
type inputSource interface {
	Inputs(ctx context.Context, lease int64, page string) (link.Inputs, error)
}

// openInputs fetches the values that a step or a decision reads, page by page,
// opens them, and renders a step's environment.
type openInputs struct {
	client    inputSource
	workspace func() *value.Workspace
	items     *value.Items
	runURL    func(run string) string
}

func (s *openInputs) Handle(ctx context.Context, a *Attempt) *step.Verdict {
	deciding := a.Lease.Decision != link.DecideNothing
	intake := s.workspace().Intake(a.Program.Plan, a.Index, deciding)
	if a.Lease.HasInputs {
		if verdict := s.fetch(ctx, a, intake); verdict != nil {
			return verdict
		}
	}
	values, err := intake.Done()
	if err != nil {
		return inputVerdict(err)
	}
	values.Run = expr.Run{
		ID: a.Lease.Run, Number: a.Lease.RunNumber, Pipeline: a.Lease.Pipeline, Version: a.Lease.Version,
		URL: s.runURL(a.Lease.Run), Outcome: a.Lease.RunOutcome,
	}
	if deciding {
		a.Values = values
		return nil
	}
	if a.Meeting, err = s.workspace().OpenAddress(a.Lease.Rendezvous); err != nil {
		return inputVerdict(err)
	}
	if a.Program.ReadsItem(a.Index) {
		if err := s.items.Item(a.Program, a.Index, false, a.Lease.Indexes, &values); err != nil {
			return inputVerdict(err)
		}
	}
	if a.Env, err = a.Program.Env(a.Index, values); err != nil {
		return inputVerdict(err)
	}
	for _, in := range a.Task.ArtifactsIn {
		if verdict := stage(a, in, values.Staged); verdict != nil {
			return verdict
		}
	}
	return nil
}

// fetch takes in all pages.
func (s *openInputs) fetch(ctx context.Context, a *Attempt, intake *value.Intake) *step.Verdict {
	for page, more := "", true; more; {
		var sealed link.Inputs
		err := insist(ctx, func() (err error) {
			sealed, err = s.client.Inputs(ctx, a.Lease.ID, page)
			return err
		})
		if link.ReasonOf(err) == link.ReasonStaleFence {
			a.control.stop(byStale, 0)
		}
		if err != nil {
			return lost("the inputs could not be fetched", err)
		}
		if err := intake.Add(sealed); err != nil {
			return inputVerdict(err)
		}
		page, more = sealed.Next, sealed.Next != ""
	}
	return nil
}

// stage notes where an artifact comes from: of a map, one of each child that
// left one.
func stage(a *Attempt, in plan.ArtifactIn, staged []value.StagedArtifact) *step.Verdict {
	from, _, ok := a.Program.Plan.Task(in.Task)
	isMap, found := ok && from.ForEach != nil, false
	if isMap { // there is a folder even if no child left anything
		a.Inputs = append(a.Inputs, artifactInput{name: in.Name})
	}
	for _, one := range staged {
		if one.Task == in.Task && one.Artifact == in.Artifact {
			a.Inputs = append(a.Inputs, artifactInput{name: in.Name, uri: one.URI, indexes: one.Indexes})
			found = true
		}
	}
	if found || isMap {
		return nil
	}
	text := fmt.Sprintf("artifact %s of task %s is not there: was the task skipped?", in.Artifact, in.Task)
	return refused(step.CauseInput, text, text)
}

func inputVerdict(err error) *step.Verdict {
	wrong, ok := errors.AsType[*value.InputError](err)
	switch {
	case !ok:
		return lost("the inputs could not be opened", err)
	case wrong.Elsewhere:
		return rejected(wrong.Reason)
	}
	return refused(step.CauseInput, wrong.Reason, wrong.Detail)
}
