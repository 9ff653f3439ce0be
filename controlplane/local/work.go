package local

import (
	"context"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/agentmsg"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/report"
	"github.com/signalboxhq/signalbox/controlplane/upstream"
	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

const (
	// heartbeat is how often the agent asks at least.
	heartbeat = 10 * time.Second
	// resendAfter is how old a lease must be that the agent does not list, until
	// it counts as lost on the way.
	resendAfter = 5 * time.Second
)

// OpenSession starts a living connection. What the one before it held and this
// one does not is lost. A session does not expire: a laptop may sleep.
func (s agentService) OpenSession(_ context.Context, req *agentv1.OpenSessionRequest) (*agentv1.OpenSessionResponse, error) {
	out := &agentv1.OpenSessionResponse{
		TtlMs: uint32(time.Hour.Milliseconds()), HeartbeatMs: uint32(heartbeat.Milliseconds()),
		SealingKid: s.config.Key.KID().String(), SealingPublicKey: s.config.Key.Bytes(),
	}
	err := s.act(func() error {
		s.agent.session, s.agent.capacity, s.agent.labels = id.Format(id.Session, id.New()), req.GetCapacity(), req.GetLabels()
		out.SessionId = s.agent.session
		s.lose(func(l *lease) bool { return !slices.Contains(req.GetAdopted(), l.id) })
		return nil
	})
	return out, err
}

// Poll waits for work, and is a heartbeat.
func (s agentService) Poll(ctx context.Context, req *agentv1.PollRequest) (*agentv1.PollResponse, error) {
	timeout := time.NewTimer(time.Duration(req.GetWaitMs()) * time.Millisecond)
	defer timeout.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(req)
	for last := req.GetWaitMs() == 0; ; {
		switch {
		case s.broken != nil:
			return nil, errBroken(s.broken)
		case req.GetSessionId() != s.agent.session:
			return nil, errSession
		case req.GetClosing():
			s.agent.session = ""
			return &agentv1.PollResponse{Work: &agentv1.Work{}}, nil
		}
		if work, found := s.workFor(req); found || last || ctx.Err() != nil {
			return &agentv1.PollResponse{Work: work}, nil
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-timeout.C:
			last = true
		case <-ctx.Done():
			last = true
		}
		s.mu.Lock()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// note keeps what a heartbeat says. The lock is held.
func (s agentService) note(req *agentv1.PollRequest) {
	news := false
	for _, h := range req.GetHeld() {
		l := s.leases[h.GetLeaseId()]
		if l == nil {
			continue
		}
		if phase := agentmsg.Phase(h.GetPhase()); phase != "" && phase != l.phase {
			l.phase, news = phase, true
		}
		if l.phase == "running" {
			s.begun(l)
		}
		if h.RunningMs != nil && l.started.IsZero() {
			l.started, news = report.Clamp(s.now().Add(-time.Duration(h.GetRunningMs())*time.Millisecond), l.granted, s.now()), true
		}
	}
	if news {
		s.wake()
	}
}

// workFor compares what the agent holds with what it should, and grants. The
// lock is held.
func (s agentService) workFor(req *agentv1.PollRequest) (*agentv1.Work, bool) {
	work, found := &agentv1.Work{}, false
	held := map[int64]bool{}
	for _, h := range req.GetHeld() {
		held[h.GetLeaseId()] = true
		l := s.leases[h.GetLeaseId()]
		switch {
		case l == nil && !s.accepted[h.GetLeaseId()]:
			work.Orders, found = append(work.Orders, &agentv1.Order{LeaseId: h.GetLeaseId(), Action: agentv1.Order_ACTION_STALE}), true
		case l != nil && l.order != nil:
			work.Orders, found = append(work.Orders, l.order), found || !l.told
			l.told = true
		}
	}
	if req.GetListsLeases() {
		for _, l := range s.leases {
			if !held[l.id] && s.now().Sub(l.sent) > resendAfter {
				work.Leases = append(work.Leases, l.message)
				l.sent = s.now()
			}
		}
	}
	if !req.GetDraining() {
		work.Leases = append(work.Leases, s.take(req.GetFree())...)
	}
	if len(work.Leases) > 0 {
		s.wake() // whoever shows the run
	}
	work.DataRequests, s.requests = s.requests, nil
	return work, found || len(work.Leases)+len(work.DataRequests) > 0
}

// Report ends attempts and takes the next leases with its answer.
func (s agentService) Report(_ context.Context, req *agentv1.ReportRequest) (*agentv1.ReportResponse, error) {
	if n := len(req.GetReports()); n == 0 || n > agentmsg.MaxReports {
		return nil, fault.Invalid("INVALID_ARGUMENT", "a report names 1 to %d attempts", agentmsg.MaxReports)
	}
	out := &agentv1.ReportResponse{Work: &agentv1.Work{}}
	err := s.act(func() error {
		for _, r := range req.GetReports() {
			status, err := s.report(r)
			if err != nil {
				return err
			}
			out.Results = append(out.Results, &agentv1.ReportResult{LeaseId: r.GetLeaseId(), Status: status})
		}
		s.settle()
		if req.GetSessionId() == s.agent.session {
			out.Work.Leases = s.take(req.GetFree())
		}
		return nil
	})
	return out, err
}

func (s agentService) report(r *agentv1.AttemptReport) (agentv1.ReportResult_Status, error) {
	said, err := agentmsg.Report(r)
	if err != nil {
		return 0, err
	}
	l := s.leases[said.Lease]
	if l == nil || l.run.id != said.Run {
		if s.accepted[said.Lease] {
			return agentv1.ReportResult_STATUS_ACCEPTED, nil
		}
		return agentv1.ReportResult_STATUS_STALE_FENCE, nil
	}
	cmd := said.Command(l.run.version.graph, l.run.state, s.now(), l.engine())
	cmd.Live = s.liveIfStops(l.run)
	if err := s.decide(l.run, cmd, said.Body); err != nil {
		if isRefusal(err) {
			return agentv1.ReportResult_STATUS_STALE_FENCE, nil
		}
		return 0, err
	}
	s.accepted[said.Lease] = true
	return agentv1.ReportResult_STATUS_ACCEPTED, nil
}

// GetPlan answers with the plan bytes of a version.
func (s agentService) GetPlan(_ context.Context, req *agentv1.GetPlanRequest) (*agentv1.GetPlanResponse, error) {
	for _, v := range s.versions {
		if v.digest.String() == req.GetVersion() {
			return &agentv1.GetPlanResponse{Plan: v.bytes}, nil
		}
	}
	return nil, fault.NotFound("version", req.GetVersion())
}

// GetInputs answers with the values that a leased task reads.
func (s agentService) GetInputs(ctx context.Context, req *agentv1.GetInputsRequest) (*agentv1.GetInputsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.leases[req.GetLeaseId()]
	if l == nil {
		return nil, errStale
	}
	r := upstream.Reader{
		Graph: l.run.version.graph, State: l.run.state, Run: l.run.id, Task: l.task, Asking: l.asking != engine.AskNothing,
		Params: l.run.params, Bodies: s.Plane,
	}
	return r.Inputs(ctx, req.GetPageToken())
}
