package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"time"

	"github.com/signalboxhq/signalbox/billing/billingapi"
	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/pipelineapi"
	"github.com/signalboxhq/signalbox/controlplane/poolapi"
	"github.com/signalboxhq/signalbox/controlplane/relay"
	"github.com/signalboxhq/signalbox/controlplane/runapi"
	"github.com/signalboxhq/signalbox/controlplane/scheduleapi"
	"github.com/signalboxhq/signalbox/internal/rpc"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1/pipelinev1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1/poolv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1/relayv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1/schedulev1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1/usagev1connect"
	"github.com/signalboxhq/signalbox/tenancy/mail"
	"github.com/signalboxhq/signalbox/tenancy/password"
	"github.com/signalboxhq/signalbox/tenancy/session"
	"github.com/signalboxhq/signalbox/tenancy/tenancyapi"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// wirePeople makes the services for people and keys, behind the middleware
// that authenticates their callers.
func (s *server) wirePeople(ctx context.Context, advancer *advance.Advancer, runs *runapi.Handler, streams *relay.Relay) (http.Handler, error) {
	hasher, err := password.NewHasher(ctx, rand.Reader)
	if err != nil {
		return nil, err
	}
	sender, err := mail.Open(string(s.config.Mail), s.config.MailFrom, os.Stderr, time.Now)
	if err != nil {
		return nil, err
	}
	store := tenancydb.NewStore(s.db, hasher, rand.Reader, time.Now)
	cookies := session.Cookies{Plain: !s.config.secure()}
	rules, err := rpc.LoadRules(append(tenancyapi.Services(), pipelinev1connect.PipelineServiceName, runv1connect.RunServiceName, runv1connect.HistoryServiceName,
		runv1connect.ApprovalServiceName, runv1connect.AlertServiceName,
		poolv1connect.PoolServiceName, schedulev1connect.ScheduleServiceName, usagev1connect.UsageServiceName, relayv1connect.RelayServiceName)...)
	if err != nil {
		return nil, err
	}
	options := rpc.Options(s.log, rules, session.NewAuthorizer(store, s.log))

	mux := http.NewServeMux()
	tenancyapi.Mount(mux, tenancyapi.Config{
		Store: store, Mail: sender, Cookies: cookies, PublicURL: s.config.PublicURL, Log: s.log,
	}, limits(), options)
	mux.Handle(pipelinev1connect.NewPipelineServiceHandler(pipelineapi.New(s.db, advancer, rand.Reader, time.Now), limits(), options))
	mux.Handle(runv1connect.NewRunServiceHandler(runs, limits(), options))
	mux.Handle(runv1connect.NewHistoryServiceHandler(runs.History(), limits(), options))
	mux.Handle(runv1connect.NewApprovalServiceHandler(runs.Approvals(), limits(), options))
	mux.Handle(runv1connect.NewAlertServiceHandler(runs.Alerts(), limits(), options))
	mux.Handle(poolv1connect.NewPoolServiceHandler(poolapi.New(s.db, advancer, s.config.PublicURL, rand.Reader, time.Now), limits(), options))
	mux.Handle(schedulev1connect.NewScheduleServiceHandler(scheduleapi.New(s.db, runs, rand.Reader, time.Now), limits(), options))
	mux.Handle(usagev1connect.NewUsageServiceHandler(billingapi.New(s.db, time.Now), limits(), options))
	mux.Handle(streams.Handler(limits(), options))
	return session.NewMiddleware(store, cookies, s.config.clientIP()).Wrap(mux), nil
}
