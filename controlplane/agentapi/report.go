package agentapi

import (
	"context"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/agentmsg"
	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
)

// Report ends attempts, and may take the next leases with its answer.
func (s *Service) Report(ctx context.Context, req *agentv1.ReportRequest) (*agentv1.ReportResponse, error) {
	a := from(ctx)
	session, err := parseSession(req.GetSessionId())
	if err != nil {
		return nil, err
	}
	if n := len(req.GetReports()); n == 0 || n > agentmsg.MaxReports {
		return nil, fault.Invalid("INVALID_ARGUMENT", "a report names 1 to %d attempts", agentmsg.MaxReports)
	}
	cmd := advance.Report{Org: a.Org, Agent: a.ID, Session: session, Free: freeOf(req.GetFree())}
	for _, r := range req.GetReports() {
		one, err := agentmsg.Report(r)
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
