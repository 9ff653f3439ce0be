package work

import (
	"context"
	"errors"
	"fmt"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/step"
	"github.com/signalboxhq/signalbox/agent/value"
	"github.com/signalboxhq/signalbox/proto/expr"
)

// inputSource is what of the link is needed for inputs.
type inputSource interface {
	Inputs(ctx context.Context, lease int64) (link.Inputs, error)
}

// openInputs fetches the values that a task reads, opens them, and renders the
// environment.
type openInputs struct {
	client    inputSource
	workspace func() *value.Workspace
	runURL    func(run string) string
}

func (s *openInputs) Handle(ctx context.Context, a *Attempt) *step.Verdict {
	var sealed link.Inputs
	if a.Lease.HasInputs {
		err := insist(ctx, func() (err error) {
			sealed, err = s.client.Inputs(ctx, a.Lease.ID)
			return err
		})
		if link.ReasonOf(err) == link.ReasonStaleFence {
			a.control.stop(byStale, 0)
		}
		if err != nil {
			return lost("the inputs could not be fetched", err)
		}
	}
	values, err := s.workspace().Inputs(a.Program.Plan, a.Task, sealed)
	if err != nil {
		return inputVerdict(err)
	}
	values.Run = expr.Run{
		ID: a.Lease.Run, Number: a.Lease.RunNumber, Pipeline: a.Lease.Pipeline, Version: a.Lease.Version,
		URL: s.runURL(a.Lease.Run), Outcome: a.Lease.RunOutcome,
	}
	if a.Env, err = a.Program.Env(a.Task, values); err != nil {
		return inputVerdict(err)
	}
	for _, in := range a.Task.ArtifactsIn {
		uri, ok := values.Artifacts[expr.ArtifactRef{Task: in.Task, Artifact: in.Artifact}]
		if !ok {
			text := fmt.Sprintf("artifact %s of task %s is not there: was the task skipped?", in.Artifact, in.Task)
			return refused(step.CauseInput, text, text)
		}
		a.Inputs = append(a.Inputs, artifactInput{name: in.Name, uri: uri})
	}
	return nil
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
