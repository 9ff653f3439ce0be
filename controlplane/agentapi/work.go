package agentapi

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/agentdb"
	"github.com/signalboxhq/signalbox/controlplane/agentmsg"
	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// heartbeatEvery is how often an agent must ask, a third of its session's life.
const heartbeatEvery = advance.SessionTTL / 3

// maxWait bounds a long poll, so that it ends before proxies do it.
const maxWait = 20 * time.Second

// OpenSession starts a living connection.
func (s *Service) OpenSession(ctx context.Context, req *agentv1.OpenSessionRequest) (*agentv1.OpenSessionResponse, error) {
	in, err := sessionOf(req)
	if err != nil {
		return nil, err
	}
	var a agentdb.Agent
	var lost []agentdb.Lost
	err = s.inSystem(ctx, func(tx pgx.Tx) (err error) {
		if a, err = agentdb.Get(ctx, tx, from(ctx).ID); err != nil {
			return err
		}
		lost, err = agentdb.OpenSession(ctx, tx, a, in, advance.SessionTTL)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.advancer.Forget(in.Replaces)
	for _, l := range lost {
		// The reaper does it too; this only saves a second.
		err := s.advancer.Lose(ctx, advance.Lose{RunKey: advance.RunKey{Org: a.Org, Run: l.Run}, Lease: l.Lease, Session: in.Replaces})
		if err != nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "a lease was left to the reaper", slog.Int64("lease", l.Lease), slog.Any("error", err))
		}
	}
	return &agentv1.OpenSessionResponse{
		SessionId: id.Format(id.Session, in.ID), TtlMs: uint32(advance.SessionTTL.Milliseconds()),
		HeartbeatMs: uint32(heartbeatEvery.Milliseconds()), SealingKid: a.SealingKid, SealingPublicKey: a.SealingPublic,
	}, nil
}

func sessionOf(req *agentv1.OpenSessionRequest) (agentdb.Session, error) {
	if err := checkOpening(req); err != nil {
		return agentdb.Session{}, err
	}
	c := req.GetCapacity()
	out := agentdb.Session{
		ID: id.New(), Slots: int32(c.GetSlots()), CPUMillis: c.GetCpuMillis(), MemoryBytes: c.GetMemoryBytes(),
		GPUs: int32(c.GetGpus()), GPUType: c.GetGpuType(), Labels: req.GetLabels(), Version: req.GetVersion(),
		SealingKids: req.GetSealingKids(), PolicyDigest: req.GetPolicyDigest(), Adopted: req.GetAdopted(), Address: req.GetAddress(),
	}
	if req.GetReplaces() != "" {
		old, err := id.Parse(id.Session, req.GetReplaces())
		if err != nil {
			return agentdb.Session{}, fault.Invalid("INVALID_ARGUMENT", "replaces: %s", err)
		}
		out.Replaces = old
	}
	return out, nil
}

// parseSession refuses what is no session's id as it refuses a session that is
// over: the agent opens a new one.
func parseSession(text string) (id.UUID, error) {
	u, err := id.Parse(id.Session, text)
	if err != nil {
		return u, fault.FailedPrecondition("SESSION_EXPIRED", "the session %q is not one; open a new one", text)
	}
	return u, nil
}

// Poll waits for work, and is a heartbeat. Its frames lie on the stack of each
// agent that waits, so they hold no more than they must.
func (s *Service) Poll(ctx context.Context, req *agentv1.PollRequest) (*agentv1.PollResponse, error) {
	cmd, err := pollOf(ctx, req)
	if err != nil {
		return nil, err
	}
	if req.GetClosing() {
		return s.closeSession(ctx, cmd, len(req.GetHeld()))
	}
	// Watching comes first, so that no news is lost; taking comes last, so that
	// next to no request is taken for an agent that has gone: its stream asks again.
	news, cancel := s.requests.Watch(cmd.Agent)
	defer cancel()
	cmd.Wake = news
	out, err := s.poll(ctx, cmd, req)
	if err != nil {
		return nil, err
	}
	if out.DataRequests, err = s.requests.Take(ctx, cmd.Org, cmd.Agent); err != nil {
		// Their streams ask again; the leases must not be lost with them.
		s.log.LogAttrs(ctx, slog.LevelWarn, "data requests were not taken", slog.Any("error", err))
	}
	return &agentv1.PollResponse{Work: out}, nil
}

func pollOf(ctx context.Context, req *agentv1.PollRequest) (*advance.Poll, error) {
	session, err := parseSession(req.GetSessionId())
	if err != nil {
		return nil, err
	}
	a := from(ctx)
	return &advance.Poll{
		Org: a.Org, Agent: a.ID, Session: session, Free: freeOf(req.GetFree()),
		Wait:        min(maxWait, time.Duration(req.GetWaitMs())*time.Millisecond),
		ListsLeases: req.GetListsLeases(), Held: heldOf(req.GetHeld()), Draining: req.GetDraining(),
	}, nil
}

// closeSession ends the session of an agent that is about to end, so that nobody
// takes it for alive until it expires.
func (s *Service) closeSession(ctx context.Context, cmd *advance.Poll, held int) (*agentv1.PollResponse, error) {
	if held > 0 {
		return nil, fault.Invalid("INVALID_ARGUMENT", "closing: the agent holds %d leases; report them first", held)
	}
	// A heartbeat first: only it knows whose session this is. It lists no leases,
	// since nothing may be sent to somebody who is leaving.
	if _, err := s.advancer.Poll(ctx, advance.Poll{Org: cmd.Org, Agent: cmd.Agent, Session: cmd.Session, Draining: true}); err != nil {
		return nil, err
	}
	if _, err := s.advancer.EndSession(ctx, advance.EndSession{Org: cmd.Org, Session: cmd.Session, Force: true}); err != nil {
		return nil, err
	}
	return &agentv1.PollResponse{Work: &agentv1.Work{}}, nil
}

func freeOf(c *agentv1.Capacity) advance.Free {
	return advance.Free{
		Slots: int32(min(c.GetSlots(), maxSlots)), CPUMillis: max(0, c.GetCpuMillis()),
		MemoryBytes: max(0, c.GetMemoryBytes()), GPUs: int32(min(c.GetGpus(), maxGPUs)),
		Decisions: int32(min(c.GetDecisions(), maxSlots)),
	}
}

func heldOf(list []*agentv1.Held) []advance.Held {
	out := make([]advance.Held, 0, len(list))
	for _, h := range list {
		held := advance.Held{Lease: h.GetLeaseId(), Phase: agentmsg.Phase(h.GetPhase())}
		if h.RunningMs != nil {
			held.Started, held.Since = true, time.Duration(h.GetRunningMs())*time.Millisecond
		}
		out = append(out, held)
	}
	return out
}

func workOf(w *advance.Work) *agentv1.Work {
	out := &agentv1.Work{}
	for i := range w.Leases {
		out.Leases = append(out.Leases, leaseOf(&w.Leases[i]))
	}
	for _, o := range w.Orders {
		out.Orders = append(out.Orders, &agentv1.Order{LeaseId: o.Lease, Action: actionOf(o.Action), GraceMs: uint32(o.Grace.Milliseconds())})
	}
	return out
}

func actionOf(a advance.Action) agentv1.Order_Action {
	switch a {
	case advance.ActionStop:
		return agentv1.Order_ACTION_STOP
	case advance.ActionStale:
		return agentv1.Order_ACTION_STALE
	case advance.ActionKill:
		return agentv1.Order_ACTION_KILL
	}
	panic(fmt.Sprintf("action %d is unknown", a))
}

func leaseOf(l *advance.Lease) *agentv1.Lease {
	out := &agentv1.Lease{
		Id: l.ID, RunId: id.Format(id.Run, l.Run), RunNumber: l.Number, Pipeline: l.Pipeline, Version: l.Digest.String(),
		Task: l.Task, Attempt: uint32(max(0, l.Attempt)), GrantedAt: timestamppb.New(l.GrantedAt), Labels: l.Labels,
		RunOutcome: l.RunOutcome, HasInputs: l.HasInputs, Decision: agentmsg.Decision(l.Asking),
	}
	if l.PlanTask != l.Task {
		out.PlanTask = l.PlanTask
	}
	for _, k := range l.Indexes {
		out.Indexes = append(out.Indexes, uint32(k))
	}
	out.RunLimitMs = int64(l.RunLimit)
	if f := l.Fire; f != nil {
		out.Nominal, out.IntervalStart, out.IntervalEnd = timestamppb.New(f.Nominal), timestamppb.New(f.IntervalStart), timestamppb.New(f.Nominal)
	}
	if g := l.Gang; g != nil {
		out.GangRank, out.GangSize, out.Rendezvous = uint32(g.Rank), uint32(g.Size), g.Rendezvous
	}
	if !l.Deadline.IsZero() {
		out.Deadline = timestamppb.New(l.Deadline)
	}
	return out
}
