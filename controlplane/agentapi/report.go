package agentapi

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Limits of one report. A body holds a task's outputs (256 KiB), what sealing
// adds to them, and a sealed error text.
const (
	maxReports = 1000
	maxBody    = 512 << 10
	maxReason  = 200
)

// Report ends attempts, and may take the next leases with its answer.
func (s *Service) Report(ctx context.Context, req *agentv1.ReportRequest) (*agentv1.ReportResponse, error) {
	a := from(ctx)
	session, err := parseSession(req.GetSessionId())
	if err != nil {
		return nil, err
	}
	if n := len(req.GetReports()); n == 0 || n > maxReports {
		return nil, fault.Invalid("INVALID_ARGUMENT", "a report names 1 to %d attempts", maxReports)
	}
	cmd := advance.Report{Org: a.Org, Agent: a.ID, Session: session, Free: freeOf(req.GetFree())}
	for _, r := range req.GetReports() {
		one, err := reportOf(r)
		if err != nil {
			return nil, err
		}
		cmd.Reports = append(cmd.Reports, one)
	}
	work, err := s.advancer.Report(ctx, cmd)
	if err != nil {
		return nil, err
	}
	out := &agentv1.ReportResponse{Work: workOf(work)}
	for i, status := range work.Status {
		out.Results = append(out.Results, &agentv1.ReportResult{LeaseId: cmd.Reports[i].Lease, Status: statusOf(status)})
	}
	return out, nil
}

func statusOf(s advance.ReportStatus) agentv1.ReportResult_Status {
	switch s {
	case advance.ReportAccepted:
		return agentv1.ReportResult_STATUS_ACCEPTED
	case advance.ReportStale:
		return agentv1.ReportResult_STATUS_STALE_FENCE
	case advance.ReportRetry:
	}
	return agentv1.ReportResult_STATUS_RETRY
}

func reportOf(r *agentv1.AttemptReport) (advance.AttemptReport, error) {
	invalid := func(format string, args ...any) (advance.AttemptReport, error) {
		return advance.AttemptReport{}, fault.Invalid("INVALID_ARGUMENT", "report of lease %d: %s", r.GetLeaseId(), fmt.Sprintf(format, args...))
	}
	run, err := id.Parse(id.Run, r.GetRunId())
	if err != nil {
		return invalid("%s", err)
	}
	outcome, err := engine.ParseOutcome(r.GetOutcome())
	if err != nil || outcome == engine.OutcomeNone {
		return invalid("outcome %q is unknown", r.GetOutcome())
	}
	cause := engine.CauseNone
	if r.GetCause() != "" {
		if cause, err = engine.ParseCause(r.GetCause()); err != nil {
			return invalid("cause %q is unknown", r.GetCause())
		}
	}
	if r.GetDurationMs() < 0 || r.GetFinishedAgoMs() < 0 {
		return invalid("durations must not be negative")
	}
	body, err := bodyOf(r)
	if err != nil {
		return invalid("%s", err)
	}
	return advance.AttemptReport{
		Lease: r.GetLeaseId(), Run: run, Outcome: outcome, Cause: cause, ExitCode: r.GetExitCode(), Reason: oneLine(r.GetReason(), maxReason),
		Started: r.GetStarted(), Duration: time.Duration(r.GetDurationMs()) * time.Millisecond,
		Ago: time.Duration(r.GetFinishedAgoMs()) * time.Millisecond, Final: r.GetFinal(), Body: body,
		Answer: answerOf(r.GetAnswer()), Planned: plannedOf(r.GetPlanned()),
	}, nil
}

// bodyOf encodes what is kept beside the entry, and nil where there is nothing.
func bodyOf(r *agentv1.AttemptReport) ([]byte, error) {
	body := &runv1.Body{
		Outputs: r.GetOutputs(), Artifacts: r.GetArtifacts(), SealedError: r.GetSealedError(), LogBytes: r.GetLogBytes(),
		Decided: r.GetAnswer().GetValues(), ItemDigests: bytes.Join(r.GetAnswer().GetDigests(), nil),
	}
	for _, p := range r.GetPlanned() {
		if len(p.GetEnv()) > 0 {
			body.Planned = append(body.Planned, &runv1.PlannedEnv{Id: p.GetId(), Env: p.GetEnv()})
		}
	}
	if proto.Size(body) == 0 {
		return nil, nil
	}
	out, err := proto.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode body: %w", err)
	}
	if len(out)-len(body.GetItemDigests()) > maxBody {
		return nil, fmt.Errorf("outputs of %d bytes are over the limit of %d; write an artifact instead", len(out), maxBody)
	}
	return out, nil
}
