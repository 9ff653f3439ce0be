package work

import (
	"context"

	"github.com/signalboxhq/signalbox/agent/step"
)

// Stage does one thing for an attempt. A verdict ends the attempt: no further
// stage sees it. nil hands it on.
type Stage interface {
	Handle(ctx context.Context, a *Attempt) *step.Verdict
}

// chain is the way of an attempt.
//
//	lease ─▶ fetchPlan ─▶ checkPolicy ─▶ openInputs ─▶ resolveSecrets ─▶ makeFolder ─▶ runStep ─▶ collect ─┐
//	             │             │             │               │               │            │          │     │
//	             └─────────────┴─────────────┴───── a verdict ───────────────┴────────────┴──────────┴─────┤
//	                                                                                                      ▼
//	                                       report (of its own loop) ◀─ spool ◀─ seal ◀─ redact ◀─ conclude
//
// fetchPlan     the plan's bytes hash to the version that the lease names
// checkPolicy   the customer's own file allows the task
// openInputs    values are fetched, opened and rendered into the environment
// resolveSecrets  references become secrets, and the redactor learns them
// makeFolder    the attempt's folder, inputs as files, artifacts staged
// runStep       the step runs, under its clocks; its output goes to the log
// collect       outputs, artifacts and planned tasks of a step that succeeded
func (w *Worker) chain() []Stage {
	return []Stage{
		&fetchPlan{plans: w.plans, accounts: w.accounts},
		&checkPolicy{policy: w.policy, sources: w.config.Sources},
		w.inputs(),
		&resolveSecrets{secrets: w.secrets},
		&makeFolder{root: w.attemptsDir, artifacts: w.artifacts},
		&runStep{executor: w.executor, accounts: w.accounts, pass: w.config.Env, pulse: w.pulse, runURL: w.runURL, log: w.log},
		&collect{artifacts: w.artifacts, workspace: w.workspaceNow},
	}
}

// decisions is the way of a lease that only asks for a decision.
//
//	lease ─▶ fetchPlan ─▶ checkPolicy ─▶ openInputs ─▶ answer ─▶ spool ─▶ report
func (w *Worker) decisions() []Stage {
	return []Stage{
		&fetchPlan{plans: w.plans, accounts: w.accounts},
		&checkPolicy{policy: w.policy, sources: w.config.Sources},
		w.inputs(),
		&answer{workspace: w.workspaceNow, items: w.items},
	}
}

func (w *Worker) inputs() *openInputs {
	return &openInputs{client: w.client, workspace: w.workspaceNow, items: w.items, runURL: w.runURL}
}

// follow takes an attempt through the stages and returns what it came to. A stop
// that comes between two stages is noticed before the next one; what a stage
// says because it was stopped is the stop's verdict, not its own.
func follow(ctx context.Context, stages []Stage, a *Attempt) step.Verdict {
	for _, stage := range stages {
		if verdict := a.control.stopped().verdict(); verdict != nil {
			return *verdict
		}
		verdict := stage.Handle(ctx, a)
		if verdict == nil {
			continue
		}
		if !verdict.Started {
			if stopped := a.control.stopped().verdict(); stopped != nil {
				return *stopped
			}
		}
		return *verdict
	}
	return a.Verdict
}
