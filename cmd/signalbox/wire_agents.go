package main

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/agentapi"
	"github.com/signalboxhq/signalbox/controlplane/serverkey"
	"github.com/signalboxhq/signalbox/internal/rpc"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1/agentv1connect"
)

// wireAgents mounts the agents' own service, with their own credentials.
func (s *server) wireAgents(ctx context.Context, advancer *advance.Advancer, requests agentapi.DataRequests, others agentapi.Replicas, grantKey ed25519.PrivateKey) error {
	access, err := serverkey.Ensure(ctx, s.db.Engine, serverkey.Access)
	if err != nil {
		return err
	}
	identity := agentapi.NewIdentity(access, time.Now)
	rules, err := rpc.LoadRules(agentv1connect.AgentServiceName)
	if err != nil {
		return err
	}
	service := agentapi.New(agentapi.Config{
		Engine: s.db.Engine, Advancer: advancer, Requests: requests, Replicas: others, Identity: identity,
		GrantKey: grantKey.Public().(ed25519.PublicKey), Log: s.log, Now: time.Now,
	})
	path, h := agentv1connect.NewAgentServiceHandler(service, limits(), agentapi.Apart(), rpc.Options(s.log, rules, agentapi.Authorizer{}))
	s.handle(path, h, func(next http.Handler) http.Handler { return identity.Middleware(next, s.config.clientIP()) })
	return nil
}
