package work

import (
	"context"
	"maps"
	"slices"

	"github.com/signalboxhq/signalbox/agent/redact"
	"github.com/signalboxhq/signalbox/agent/secret"
	"github.com/signalboxhq/signalbox/agent/step"
)

// resolveSecrets turns references into secrets and tells the redactor. A secret
// that this agent does not have refuses the task: another agent of the pool is
// set up alike, and a run that waits for one tells nobody what is missing.
type resolveSecrets struct {
	secrets *secret.Store
}

func (s *resolveSecrets) Handle(_ context.Context, a *Attempt) *step.Verdict {
	a.Secrets = map[string]secret.Value{}
	var hidden []string
	for _, name := range slices.Sorted(maps.Keys(a.Task.Secrets)) {
		ref, err := secret.ParseReference(a.Task.Secrets[name])
		if err != nil {
			return refused(step.CausePolicy, err.Error(), err.Error())
		}
		value, err := s.secrets.Resolve(ref)
		if err != nil {
			return refused(step.CausePolicy, err.Error(), err.Error())
		}
		a.Secrets[name] = value
		hidden = append(hidden, value.Reveal())
	}
	a.Redactor = redact.New(hidden...)
	return nil
}
