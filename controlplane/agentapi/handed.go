package agentapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// pollPath is where the internal listener takes polls for a replica that gathers
// the agents of a pool.
const pollPath = "/agent/poll"

// handedFor bounds a poll that waits at another replica: what is asked of the
// agent meanwhile does not reach it there.
const handedFor = 3 * time.Second

// poll asks here, or where the pool's agents are gathered.
func (s *Service) poll(ctx context.Context, cmd *advance.Poll, req *agentv1.PollRequest) (*agentv1.Work, error) {
	work, err := s.advancer.Poll(ctx, *cmd)
	if there, ok := errors.AsType[*advance.ElsewhereError](err); ok {
		return s.elsewhere(ctx, there, cmd, req)
	}
	if err != nil {
		return nil, err
	}
	return workOf(work), nil
}

// elsewhere has the replica answer that gathers the pool's agents; if it cannot,
// the poll stays here.
func (s *Service) elsewhere(ctx context.Context, there *advance.ElsewhereError, cmd *advance.Poll, req *agentv1.PollRequest) (*agentv1.Work, error) {
	if s.replicas != nil {
		handed, err := s.hand(ctx, there.Replica, *cmd, req)
		if err == nil {
			return handed, nil
		}
		if _, refused := fault.As(err); refused {
			return nil, err
		}
		s.log.LogAttrs(ctx, slog.LevelWarn, "a poll could not be handed over", slog.Any("error", err))
		s.advancer.Lost(there.Replica)
	}
	here := *cmd
	here.Forwarded = true
	work, err := s.advancer.Poll(ctx, here)
	if err != nil {
		return nil, err
	}
	return workOf(work), nil
}

// hand has another replica answer a poll. Should its answer be lost, the leases
// in it are sent again.
func (s *Service) hand(ctx context.Context, to id.UUID, cmd advance.Poll, req *agentv1.PollRequest) (*agentv1.Work, error) {
	short := proto.CloneOf(req)
	short.WaitMs = uint32(min(cmd.Wait, handedFor).Milliseconds())
	body := append(append(make([]byte, 0, 32+proto.Size(short)), cmd.Org[:]...), cmd.Agent[:]...)
	body, err := proto.MarshalOptions{}.MarshalAppend(body, short)
	if err != nil {
		return nil, fmt.Errorf("encode a poll: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, handedFor+5*time.Second)
	defer cancel()
	answer, err := s.replicas.Ask(ctx, to, pollPath, body)
	if err != nil {
		return nil, fmt.Errorf("hand a poll over: %w", err)
	}
	var out agentv1.Work
	if err := proto.Unmarshal(answer, &out); err != nil {
		return nil, fmt.Errorf("decode the answer to a poll: %w", err)
	}
	return &out, nil
}

// receive answers a poll that another replica handed over. It never hands it any
// further.
func (s *Service) receive(ctx context.Context, body []byte) ([]byte, error) {
	cmd := advance.Poll{Forwarded: true}
	if len(body) < len(cmd.Org)+len(cmd.Agent) {
		return nil, errors.New("a handed poll is cut")
	}
	copy(cmd.Org[:], body)
	copy(cmd.Agent[:], body[len(cmd.Org):])
	var req agentv1.PollRequest
	if err := proto.Unmarshal(body[len(cmd.Org)+len(cmd.Agent):], &req); err != nil {
		return nil, fmt.Errorf("decode a handed poll: %w", err)
	}
	var err error
	if cmd.Session, err = parseSession(req.GetSessionId()); err != nil {
		return nil, err
	}
	cmd.Free, cmd.Wait = freeOf(req.GetFree()), time.Duration(req.GetWaitMs())*time.Millisecond
	cmd.ListsLeases, cmd.Held, cmd.Draining = req.GetListsLeases(), heldOf(req.GetHeld()), req.GetDraining()
	work, err := s.advancer.Poll(ctx, cmd)
	if err != nil {
		return nil, err
	}
	out := workOf(work)
	answer, err := proto.Marshal(out)
	if answer == nil {
		answer = []byte{}
	}
	return answer, err
}
