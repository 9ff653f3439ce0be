package fakeplane

import (
	"context"
	"strconv"
	"time"

	"connectrpc.com/connect"

	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// heartbeat is short, so that tests see orders soon.
const heartbeat = 200 * time.Millisecond

// resendAfter is how old a lease must be that its agent does not list until it
// is sent again.
const resendAfter = 100 * time.Millisecond

// service implements AgentService.
type service struct{ *Plane }

func (s *service) OpenSession(ctx context.Context, r *agentv1.OpenSessionRequest) (*agentv1.OpenSessionResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.admit(ctx, "OpenSession"); err != nil {
		return nil, err
	}
	s.opened = append(s.opened, r)
	if s.alive[r.GetReplaces()] {
		delete(s.alive, r.GetReplaces())
		adopted := map[int64]bool{}
		for _, lease := range r.GetAdopted() {
			adopted[lease] = true
		}
		for number, l := range s.leases {
			if l.state == stateLeased && !adopted[number] {
				l.state = stateGone
			}
		}
	}
	session := id.Format(id.Session, id.New())
	s.sessions = append(s.sessions, session)
	s.alive[session] = true
	s.draining = false
	s.wake()
	return answer(s.Plane, "OpenSession", &agentv1.OpenSessionResponse{
		SessionId: session, TtlMs: 30_000, HeartbeatMs: uint32(heartbeat.Milliseconds()),
		SealingKid: s.sealing.kid, SealingPublicKey: s.sealing.public,
	})
}

// ExpireSessions ends all sessions; their leases are lost.
func (p *Plane) ExpireSessions() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.alive)
	for _, l := range p.leases {
		if l.state == stateLeased {
			l.state = stateGone
		}
	}
	p.wake()
}

// Opened returns the requests that opened sessions so far, and waits until there
// are at least so many.
func (p *Plane) Opened(atLeast int) []*agentv1.OpenSessionRequest {
	p.t.Helper()
	p.until("sessions", func() bool { return len(p.opened) >= atLeast })
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*agentv1.OpenSessionRequest(nil), p.opened...)
}

// Session is the id of the session that was opened as the given one, from 0.
func (p *Plane) Session(number int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sessions[number]
}

// Alive is how many sessions are neither closed nor replaced nor expired.
func (p *Plane) Alive() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.alive)
}

// AwaitDraining waits until the agent has said that it takes no more work.
func (p *Plane) AwaitDraining() {
	p.t.Helper()
	p.until("a drain", func() bool { return p.draining })
}

func (s *service) Poll(ctx context.Context, r *agentv1.PollRequest) (*agentv1.PollResponse, error) {
	timeout := time.NewTimer(time.Duration(r.GetWaitMs()) * time.Millisecond)
	defer timeout.Stop()
	for first := true; ; first = false {
		s.mu.Lock()
		if err := s.admit(ctx, "Poll"); err != nil {
			s.mu.Unlock()
			return nil, err
		}
		if !s.alive[r.GetSessionId()] {
			s.mu.Unlock()
			return nil, refuse(connect.CodeFailedPrecondition, faultv1.Reason_REASON_SESSION_EXPIRED)
		}
		if r.GetClosing() {
			delete(s.alive, r.GetSessionId())
			s.wake()
			response, err := answer(s.Plane, "Poll", &agentv1.PollResponse{Work: &agentv1.Work{}})
			s.mu.Unlock()
			return response, err
		}
		if r.GetDraining() && !s.draining {
			s.draining = true
			s.wake()
		}
		work, found := s.workFor(r, first)
		changed := s.changed
		if found || r.GetWaitMs() == 0 {
			response, err := answer(s.Plane, "Poll", &agentv1.PollResponse{Work: work})
			s.mu.Unlock()
			return response, err
		}
		s.mu.Unlock()
		select {
		case <-changed:
		case <-timeout.C:
			return &agentv1.PollResponse{Work: &agentv1.Work{}}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// workFor compares what the agent holds with what it should, and grants. The
// lock is held.
func (s *service) workFor(r *agentv1.PollRequest, first bool) (*agentv1.Work, bool) {
	work := &agentv1.Work{}
	held := map[int64]bool{}
	for _, h := range r.GetHeld() {
		held[h.GetLeaseId()] = true
		l := s.leases[h.GetLeaseId()]
		if l == nil || l.state != stateLeased {
			work.Orders = append(work.Orders, &agentv1.Order{LeaseId: h.GetLeaseId(), Action: agentv1.Order_ACTION_STALE})
			continue
		}
		if first && h.GetPhase() > l.phase {
			l.phase = h.GetPhase()
			s.wake()
		}
		if l.order != nil {
			work.Orders = append(work.Orders, l.order)
		}
	}
	for number, l := range s.leases {
		if r.GetListsLeases() && l.state == stateLeased && !held[number] && time.Since(l.granted) > resendAfter {
			work.Leases = append(work.Leases, l.message)
		}
	}
	if !r.GetDraining() {
		work.Leases = append(work.Leases, s.grant(r.GetFree())...)
	}
	work.DataRequests, s.requests = s.requests, nil
	return work, len(work.Leases)+len(work.Orders)+len(work.DataRequests) > 0
}

// grant leases attempts to slots, and decisions beside them. The lock is held.
func (s *service) grant(free *agentv1.Capacity) []*agentv1.Lease {
	var granted []*agentv1.Lease
	slots, decisions := free.GetSlots(), free.GetDecisions()
	for _, l := range s.ready() {
		room := &slots
		if l.message.GetDecision() != agentv1.Decision_DECISION_UNSPECIFIED {
			room = &decisions
		}
		if *room == 0 {
			continue
		}
		*room--
		l.state, l.granted = stateLeased, time.Now()
		granted = append(granted, l.message)
	}
	return granted
}

func (s *service) Report(ctx context.Context, r *agentv1.ReportRequest) (*agentv1.ReportResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.admit(ctx, "Report"); err != nil {
		return nil, err
	}
	response := &agentv1.ReportResponse{Work: &agentv1.Work{}}
	for _, report := range r.GetReports() {
		status := agentv1.ReportResult_STATUS_STALE_FENCE
		if l := s.leases[report.GetLeaseId()]; l != nil {
			l.reports++
			switch {
			case s.faults.next("one report") != nil:
				status = agentv1.ReportResult_STATUS_RETRY
			case l.state == stateLeased:
				l.state, l.report = stateEnded, report
				status = agentv1.ReportResult_STATUS_ACCEPTED
			case l.state == stateEnded:
				status = agentv1.ReportResult_STATUS_ACCEPTED
			}
		}
		response.Results = append(response.Results, &agentv1.ReportResult{LeaseId: report.GetLeaseId(), Status: status})
	}
	if s.alive[r.GetSessionId()] {
		response.Work.Leases = s.grant(r.GetFree())
	}
	s.wake()
	return answer(s.Plane, "Report", response)
}

func (s *service) GetPlan(ctx context.Context, r *agentv1.GetPlanRequest) (*agentv1.GetPlanResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.admit(ctx, "GetPlan"); err != nil {
		return nil, err
	}
	content, ok := s.plans[r.GetVersion()]
	if !ok {
		return nil, refuse(connect.CodeNotFound, faultv1.Reason_REASON_NOT_FOUND)
	}
	return &agentv1.GetPlanResponse{Plan: content}, nil
}

func (s *service) GetInputs(ctx context.Context, r *agentv1.GetInputsRequest) (*agentv1.GetInputsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.admit(ctx, "GetInputs"); err != nil {
		return nil, err
	}
	l := s.leases[r.GetLeaseId()]
	if l == nil || l.state != stateLeased {
		return nil, refuse(connect.CodeFailedPrecondition, faultv1.Reason_REASON_STALE_FENCE)
	}
	if l.pages == nil {
		return &agentv1.GetInputsResponse{Params: l.params, Env: l.env, Tasks: s.inputs(l.message.GetRunId())}, nil
	}
	page, _ := strconv.Atoi(r.GetPageToken()) // the first one has none
	response := &agentv1.GetInputsResponse{Tasks: l.pages[page]}
	if page == 0 {
		response.Params, response.Env = l.params, l.env
	}
	if page+1 < len(l.pages) {
		response.NextPageToken = strconv.Itoa(page + 1)
	}
	return response, nil
}
