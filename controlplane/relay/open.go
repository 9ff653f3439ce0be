package relay

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/grant"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1/relayv1connect"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Handler serves RelayService. Ciphertext cannot be compressed: trying costs more
// than all the rest.
func (r *Relay) Handler(options ...connect.HandlerOption) (path string, h http.Handler) {
	return relayv1connect.NewRelayServiceHandler(r, append(options, connect.WithCompression("gzip", nil, nil))...)
}

// OpenDataStream asks an agent and relays what it answers until the last frame.
// Errors: NOT_FOUND, NO_AGENT_ONLINE, DATA_GONE, RATE_LIMITED, UNAVAILABLE.
func (r *Relay) OpenDataStream(
	ctx context.Context, req *relayv1.OpenDataStreamRequest, out *connect.ServerStream[relayv1.OpenDataStreamResponse],
) error {
	q, err := parseQuestion(req)
	if err != nil {
		return err
	}
	c := caller.From(ctx)
	agent, err := r.choose(ctx, place{c.OrgID, c.WorkspaceID}, q)
	if err != nil {
		return err
	}
	s, err := r.open(ctx, c, agent, q)
	if err != nil {
		return err
	}
	defer r.close(ctx, s)
	err = out.Send(&relayv1.OpenDataStreamResponse{Event: &relayv1.OpenDataStreamResponse_Opened{Opened: &relayv1.Opened{
		StreamId: streamID(r.replica.ID(), s.id), AgentId: id.Format(id.Agent, agent.id), AgentName: agent.name,
	}}})
	if err != nil {
		return errStreamClosed.Because(err)
	}
	return s.pump(ctx, func(f *relayv1.Frame) error {
		return out.Send(&relayv1.OpenDataStreamResponse{Event: &relayv1.OpenDataStreamResponse_Frame{Frame: f}})
	})
}

func (r *Relay) choose(ctx context.Context, p place, q question) (agent candidate, err error) {
	if p.org == id.Nil || p.workspace == id.Nil {
		return agent, fault.NotFound("run", id.Format(id.Run, q.run))
	}
	err = pg.InTenantRead(ctx, r.db.API, p.org, func(tx pgx.Tx) (err error) {
		agent, err = choose(ctx, tx, p, q)
		return err
	})
	return agent, err
}

// open makes a stream and leaves its request for the agent. close must be
// called.
func (r *Relay) open(ctx context.Context, c caller.Caller, agent candidate, q question) (*stream, error) {
	if err := r.quota.spend(c.OrgID, 0); err != nil {
		return nil, err
	}
	reader, err := readerOf(c)
	if err != nil {
		return nil, err
	}
	signed, err := grant.Sign(r.grantKey, r.now(), reader, id.Format(id.Org, c.OrgID), id.Format(id.Run, q.run), q.publicKey)
	if err != nil {
		return nil, err
	}
	s, err := r.hub.open(c.OrgID, agent.id)
	if err != nil {
		return nil, err
	}
	req := q.forAgent(streamID(r.replica.ID(), s.id), signed)
	// A poll may take the request and its answer not arrive, as where the agent
	// gives it up to offer more. Agents answer a stream once.
	s.askAgain = func(ctx context.Context) {
		if err := r.ask(ctx, s, req); err != nil && ctx.Err() == nil {
			r.log.LogAttrs(ctx, slog.LevelWarn, "an agent was not asked again", slog.Any("error", err))
		}
	}
	// The agent may answer before the insert returns: the stream is there.
	if err := r.ask(ctx, s, req); err != nil {
		r.close(ctx, s)
		return nil, err
	}
	return s, nil
}

func (r *Relay) close(ctx context.Context, s *stream) {
	r.hub.remove(s)
	r.withdraw(ctx, s)
}

// readerOf is how a grant names the caller.
func readerOf(c caller.Caller) (string, error) {
	switch {
	case c.Person():
		return id.Format(id.User, c.UserID), nil
	case c.Kind == authz.KindServiceAccount && c.KeyID != id.Nil:
		return id.Format(id.Key, c.KeyID), nil
	}
	return "", fmt.Errorf("a caller of kind %q reads no data", c.Kind)
}
