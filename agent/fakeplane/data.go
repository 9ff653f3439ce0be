package fakeplane

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"connectrpc.com/connect"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

type stream struct {
	frames []*relayv1.Frame
	closed bool
}

// Ask puts a data request to the agent and returns its stream. A request
// without a grant gets a good one.
func (p *Plane) Ask(request *agentv1.DataRequest) string {
	p.t.Helper()
	request.StreamId = id.Format(id.Stream, id.New())
	if request.GetGrant() == "" {
		request.Grant = p.Grant(request.GetRunId(), request.GetPublicKey(), time.Now().Add(time.Minute))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams[request.GetStreamId()] = &stream{}
	p.requests = append(p.requests, request)
	p.wake()
	return request.GetStreamId()
}

// Grant signs a data grant.
func (p *Plane) Grant(run string, publicKey []byte, expires time.Time) string {
	p.t.Helper()
	hash := sha256.Sum256(publicKey)
	grant, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"iss": issuer, "sub": "usr_reader", "aud": "signalbox-data", "org": id.Format(id.Org, p.Org), "run": run,
		"kh": hex.EncodeToString(hash[:]), "iat": expires.Add(-time.Minute).Unix(), "exp": expires.Unix(),
	}).SignedString(p.key)
	require.NoError(p.t, err)
	return grant
}

// Frames waits for more than the given number of frames of a stream and returns
// all of them.
func (p *Plane) Frames(name string, more int) []*relayv1.Frame {
	p.t.Helper()
	p.until("frames", func() bool { return len(p.streams[name].frames) > more })
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*relayv1.Frame(nil), p.streams[name].frames...)
}

// CloseStream plays a reader that goes away.
func (p *Plane) CloseStream(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams[name].closed = true
	p.wake()
}

func (s *service) SendFrames(ctx context.Context, r *agentv1.SendFramesRequest) (*agentv1.SendFramesResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.admit(ctx, "SendFrames"); err != nil {
		return nil, err
	}
	to := s.streams[r.GetStreamId()]
	if to == nil {
		return nil, refuse(connect.CodeFailedPrecondition, faultv1.Reason_REASON_STREAM_CLOSED)
	}
	if to.closed {
		return &agentv1.SendFramesResponse{Closed: true}, nil
	}
	for _, frame := range r.GetFrames() {
		if frame.GetSeq() == uint64(len(to.frames)) { // repeated ones are dropped
			to.frames = append(to.frames, frame)
		}
	}
	s.wake()
	return answer(s.Plane, "SendFrames", &agentv1.SendFramesResponse{})
}

func (s *service) GetRunValues(ctx context.Context, r *agentv1.GetRunValuesRequest) (*agentv1.GetRunValuesResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.admit(ctx, "GetRunValues"); err != nil {
		return nil, err
	}
	response := &agentv1.GetRunValuesResponse{}
	for _, l := range s.leases {
		if l.message.GetRunId() != r.GetRunId() {
			continue
		}
		response.Params = l.params
		if l.report == nil {
			continue
		}
		response.Tasks = append(response.Tasks, &runv1.TaskValues{
			Task: l.message.GetTask(), Attempt: l.message.GetAttempt(), Outputs: l.report.GetOutputs(), Artifacts: l.report.GetArtifacts(),
		})
		if sealed := l.report.GetSealedError(); len(sealed) > 0 {
			response.Errors = append(response.Errors, &agentv1.SealedError{Task: l.message.GetTask(), Attempt: l.message.GetAttempt(), Sealed: sealed})
		}
	}
	return response, nil
}
