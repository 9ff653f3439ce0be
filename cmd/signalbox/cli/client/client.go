package client

import (
	"context"
	"io"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1/pipelinev1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1/poolv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1/relayv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1/schedulev1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1/tenancyv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1/usagev1connect"
)

// CallTimeout is how long a call may take; streams have no limit.
const CallTimeout = time.Minute

// The headers that say which organization and workspace a call is about.
const (
	HeaderOrganization = "Signalbox-Organization"
	HeaderWorkspace    = "Signalbox-Workspace"
)

// Config says whom to call and as whom.
type Config struct {
	// Server is scheme://host[:port].
	Server string
	// Token is empty for calls that need no credential or have a cookie.
	Token        string
	Organization string
	Workspace    string
	// Place, where set, is asked for the organization and the workspace once a call
	// was refused because it names none; an empty one is not known.
	Place func(context.Context) (organization, workspace string)
	// Version is this program's, for the User-Agent.
	Version string
	// Curl, where set, gets each call written down as a curl command; the call
	// itself is not made.
	Curl io.Writer
	// Jar keeps the session cookie during a login.
	Jar http.CookieJar
	// Transport is http.DefaultTransport where it is nil.
	Transport http.RoundTripper
}

// Clients are the services of the contract that people use.
type Clients struct {
	Account      tenancyv1connect.AccountServiceClient
	Organization tenancyv1connect.OrganizationServiceClient
	Member       tenancyv1connect.MemberServiceClient
	Key          tenancyv1connect.KeyServiceClient
	Audit        tenancyv1connect.AuditServiceClient
	Pipeline     pipelinev1connect.PipelineServiceClient
	Run          runv1connect.RunServiceClient
	History      runv1connect.HistoryServiceClient
	Approval     runv1connect.ApprovalServiceClient
	Alert        runv1connect.AlertServiceClient
	Pool         poolv1connect.PoolServiceClient
	Schedule     schedulev1connect.ScheduleServiceClient
	Relay        relayv1connect.RelayServiceClient
	Usage        usagev1connect.UsageServiceClient
}

// New makes the clients. It connects to nothing yet.
func New(c Config) *Clients {
	// Redirects are not followed: a POST that turns into a GET answers with a
	// page, and a server that moved should be named, not guessed.
	hc := &http.Client{Transport: c.Transport, Jar: c.Jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	options := []connect.ClientOption{connect.WithInterceptors(newCaller(c))}
	return &Clients{
		Account:      tenancyv1connect.NewAccountServiceClient(hc, c.Server, options...),
		Organization: tenancyv1connect.NewOrganizationServiceClient(hc, c.Server, options...),
		Member:       tenancyv1connect.NewMemberServiceClient(hc, c.Server, options...),
		Key:          tenancyv1connect.NewKeyServiceClient(hc, c.Server, options...),
		Audit:        tenancyv1connect.NewAuditServiceClient(hc, c.Server, options...),
		Pipeline:     pipelinev1connect.NewPipelineServiceClient(hc, c.Server, options...),
		Run:          runv1connect.NewRunServiceClient(hc, c.Server, options...),
		Approval:     runv1connect.NewApprovalServiceClient(hc, c.Server, options...),
		Alert:        runv1connect.NewAlertServiceClient(hc, c.Server, options...),
		History:      runv1connect.NewHistoryServiceClient(hc, c.Server, options...),
		Pool:         poolv1connect.NewPoolServiceClient(hc, c.Server, options...),
		Schedule:     schedulev1connect.NewScheduleServiceClient(hc, c.Server, options...),
		Relay:        relayv1connect.NewRelayServiceClient(hc, c.Server, options...),
		Usage:        usagev1connect.NewUsageServiceClient(hc, c.Server, options...),
	}
}
