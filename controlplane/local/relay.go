package local

import (
	"context"
	"crypto/ed25519"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/grant"
	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// stream is a data request on its way: frames from the agent, in order.
type stream struct {
	frames chan *relayv1.Frame
	gone   <-chan struct{} // closed when its reader has left
	next   uint64
}

// maxFrames is how many frames wait for a reader that is slower than the agent.
const maxFrames = 64

// relayService passes data requests on to the agent, and its frames back.
type relayService struct{ *Plane }

// OpenDataStream asks the agent for data about a run.
func (s relayService) OpenDataStream(
	ctx context.Context, req *relayv1.OpenDataStreamRequest, out *connect.ServerStream[relayv1.OpenDataStreamResponse],
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	name, frames, err := s.ask(ctx, req)
	if err != nil {
		return err
	}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.streams, name)
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case frame := <-frames.frames:
			if err := out.Send(&relayv1.OpenDataStreamResponse{Event: &relayv1.OpenDataStreamResponse_Frame{Frame: frame}}); err != nil || frame.GetLast() {
				return err
			}
		}
	}
}

func (s relayService) ask(ctx context.Context, req *relayv1.OpenDataStreamRequest) (string, *stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.find(req.GetRunId()); err != nil {
		return "", nil, err
	}
	signed, err := grant.Sign(s.grantKey, s.now(), s.config.Actor, id.Format(id.Org, s.Org), req.GetRunId(), req.GetPublicKey())
	if err != nil {
		return "", nil, err
	}
	name := id.Format(id.Stream, id.New())
	to := &stream{frames: make(chan *relayv1.Frame, maxFrames), gone: ctx.Done()}
	s.streams[name] = to
	s.requests = append(s.requests, &agentv1.DataRequest{
		StreamId: name, Grant: signed, RunId: req.GetRunId(), Task: req.GetTask(), Attempt: req.GetAttempt(), Kind: req.GetKind(),
		PublicKey: req.GetPublicKey(), Offset: req.GetOffset(), Follow: req.GetFollow(),
	})
	s.wake()
	return name, to, nil
}

// SendFrames passes sealed frames on to their reader. What was passed on before
// is dropped, so that it may be sent again.
func (s agentService) SendFrames(ctx context.Context, req *agentv1.SendFramesRequest) (*agentv1.SendFramesResponse, error) {
	s.mu.Lock()
	to := s.streams[req.GetStreamId()]
	s.mu.Unlock()
	if to == nil {
		return &agentv1.SendFramesResponse{Closed: true}, nil
	}
	for _, frame := range req.GetFrames() {
		if frame.GetSeq() != to.next {
			continue
		}
		select {
		case to.frames <- frame:
			to.next++
		case <-to.gone:
			return &agentv1.SendFramesResponse{Closed: true}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return &agentv1.SendFramesResponse{}, nil
}

// GetRunValues answers with the values of a run, which the agent opens for a
// reader.
func (s agentService) GetRunValues(ctx context.Context, req *agentv1.GetRunValuesRequest) (*agentv1.GetRunValuesResponse, error) {
	claims, err := grant.Check(s.grantKey.Public().(ed25519.PublicKey), s.now(), req.GetGrant())
	if err != nil || claims.Run != req.GetRunId() {
		return nil, fault.NotFound("run", req.GetRunId())
	}
	left, err := runService{Plane: s.Plane}.GetRunValues(ctx, &runv1.GetRunValuesRequest{Id: req.GetRunId()})
	if err != nil {
		return nil, err
	}
	out := &agentv1.GetRunValuesResponse{Params: left.GetParams(), Tasks: left.GetTasks()}
	return out, s.addErrors(out, req.GetRunId())
}

// addErrors adds the error texts of attempts that failed.
func (s agentService) addErrors(out *agentv1.GetRunValuesResponse, ref string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(ref)
	if err != nil {
		return err
	}
	for i := range r.journal {
		e := &r.journal[i]
		if e.Kind != engine.KindAttemptEnded || e.Attempt < 0 {
			continue
		}
		var body runv1.Body
		if err := proto.Unmarshal(r.bodies[e.Seq].Bytes, &body); err != nil {
			return err
		}
		if len(body.GetSealedError()) > 0 {
			out.Errors = append(out.Errors, &agentv1.SealedError{Task: e.Path, Attempt: uint32(e.Attempt), Sealed: body.GetSealedError()})
		}
	}
	return nil
}
