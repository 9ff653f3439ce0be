package work

import (
	"encoding/json"
	"log/slog"
	"time"

	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/logs"
	"github.com/signalboxhq/signalbox/agent/redact"
	"github.com/signalboxhq/signalbox/agent/secret"
	"github.com/signalboxhq/signalbox/agent/step"
	"github.com/signalboxhq/signalbox/agent/value"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Attempt is one lease on its way through the stages. Each stage reads what the
// ones before it found and adds its own. It belongs to one goroutine, all but
// control.
type Attempt struct {
	Lease   link.Lease
	control *control

	Log      *logs.Log // of the step and of what the agent has to say about it
	Program  *value.Program
	Task     *plan.Task
	Index    int               // of Task, in the plan
	Source   string            // the folder of the pipeline's source, absolute; may be empty
	Env      map[string]string // rendered
	Meeting  string            // the address of a gang's first member
	Inputs   []artifactInput
	Values   value.Values
	Secrets  map[string]secret.Value
	Redactor *redact.Redactor
	Folder   *step.Folder
	Limits   execute.Limits
	Stderr   *tail // its last lines are the error text of a step that leaves none

	Verdict   step.Verdict
	Finished  time.Time
	Outputs   map[string]json.RawMessage
	Artifacts []link.Artifact
	Planned   []link.Planned
	Decided   *link.Decided
}

// artifactInput is an artifact to be staged, of a map's child with its indexes;
// without a URI it is the folder of a map's.
type artifactInput struct {
	name, uri string
	indexes   []uint32
}

// gang is what its step may know of the other members; nil without any.
func (a *Attempt) gang() *step.Gang {
	if a.Lease.GangSize == 0 {
		return nil
	}
	return &step.Gang{Rank: a.Lease.GangRank, Size: a.Lease.GangSize, Address: a.Meeting}
}

// LogValue names the attempt.
func (a *Attempt) LogValue() slog.Value {
	return slog.GroupValue(slog.Int64("lease", a.Lease.ID), slog.String("run_id", a.Lease.Run),
		slog.String("task", a.Lease.Task), slog.Uint64("number", uint64(a.Lease.Attempt)))
}

// Verdicts of the agent itself. A refused attempt is tried nowhere again, a
// rejected one may be tried by another agent.
func refused(cause step.Cause, reason, detail string) *step.Verdict {
	return &step.Verdict{Outcome: step.OutcomeRefused, Cause: cause, Reason: reason, Detail: detail}
}

func rejected(reason string) *step.Verdict {
	return &step.Verdict{Outcome: step.OutcomeRejected, Cause: step.CauseInfra, Reason: reason, Detail: reason}
}

// lost is for what this machine has wrong with it, a full disk for instance.
func lost(reason string, err error) *step.Verdict {
	return &step.Verdict{Outcome: step.OutcomeLost, Cause: step.CauseInfra, Reason: reason, Detail: err.Error()}
}

func failed(reason, detail string) *step.Verdict {
	return &step.Verdict{Outcome: step.OutcomeFailed, Cause: step.CauseUser, Reason: reason, Detail: detail}
}
