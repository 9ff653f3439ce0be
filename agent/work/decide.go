package work

import (
	"context"
	"log/slog"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/step"
	"github.com/signalboxhq/signalbox/agent/value"
)

// decide answers a lease that runs nothing. It has no folder and no log: what it
// comes to is for the control plane, and shows there.
func (w *Worker) decide(ctx context.Context, a *Attempt) {
	w.log.LogAttrs(ctx, slog.LevelDebug, "a decision is asked for", slog.Any("attempt", a))
	v := w.decision(ctx, a)
	v.Reason = clip(v.Reason, maxReason)
	w.deliver(ctx, a, v, w.reportOf(ctx, a, v))
}

func (w *Worker) decision(ctx context.Context, a *Attempt) (verdict step.Verdict) {
	defer w.survive(ctx, a, &verdict)
	return follow(ctx, w.deciding, a)
}

// answer evaluates what is asked.
type answer struct {
	workspace func() *value.Workspace
	items     *value.Items
}

func (s *answer) Handle(_ context.Context, a *Attempt) *step.Verdict {
	if a.Lease.Decision == link.DecideUnknown {
		return rejected("this agent is too old for the decision that is asked for")
	}
	decided, reason, err := s.workspace().Decide(s.items, value.Question{
		Kind: a.Lease.Decision, Program: a.Program, Task: a.Index, Indexes: a.Lease.Indexes, Values: a.Values,
	})
	if err != nil {
		verdict := inputVerdict(err)
		if verdict.Outcome == step.OutcomeRefused { // an expression of the pipeline is to blame
			verdict.Outcome, verdict.Cause, verdict.Final = step.OutcomeFailed, step.CauseUser, true
		}
		return verdict
	}
	a.Decided = &decided
	a.Verdict = step.Verdict{Outcome: step.OutcomeSucceeded, Reason: reason}
	return nil
}
