package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1/pipelinev1connect"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1/poolv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1/tenancyv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1/usagev1connect"
)

// stack is an installation: a database, one or more replicas, a proxy.
type stack struct {
	t        *testing.T
	programs binaries
	dir      string
	database string
	url      string

	servers   []*process
	addresses []string // of the servers
}

// twice runs a story with one replica and with two.
func twice(t *testing.T, story func(s *stack)) {
	t.Helper()
	for _, n := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d replicas", n), func(t *testing.T) {
			t.Parallel()
			story(install(t, n))
		})
	}
}

func install(t *testing.T, replicas int) *stack {
	t.Helper()
	s := &stack{t: t, programs: programs(t), dir: t.TempDir(), database: pgtest.URL(t)}
	for i := range replicas {
		address := freeAddress(t)
		s.addresses = append(s.addresses, address)
		s.servers = append(s.servers, launch(t, fmt.Sprintf("server %d", i+1), s.programs.signalbox, s.dir, []string{
			"DATABASE_URL=" + s.database,
			"SIGNALBOX_ADDRESS=" + address,
			"SIGNALBOX_MAIL=file:" + s.mail(),
		}, "server"))
	}
	s.serving()
	s.url = "http://" + s.addresses[0]
	if replicas > 1 {
		s.url = roundRobin(t, s.addresses)
	}
	return s
}

// serving waits until every replica serves: the next request may go to any.
func (s *stack) serving() {
	s.t.Helper()
	for _, a := range s.addresses {
		s.healthy(a)
	}
}

func (s *stack) mail() string { return filepath.Join(s.dir, "mail") }

func (s *stack) healthy(address string) {
	s.t.Helper()
	eventually(s.t, 30*time.Second, address+" is healthy", func() bool {
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+address+"/healthz", nil)
		require.NoError(s.t, err)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// tenant is an organization with a token of its owner.
type tenant struct {
	*stack

	email     string
	token     string
	org       string
	workspace string
	http      *http.Client
	runs      runv1connect.RunServiceClient
	pipelines pipelinev1connect.PipelineServiceClient
	pools     poolv1connect.PoolServiceClient
	usage     usagev1connect.UsageServiceClient
}

// signUp goes the way of a new customer, mail included.
func (s *stack) signUp(name string) *tenant {
	s.t.Helper()
	ctx := s.t.Context()
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	browser := &http.Client{Jar: jar}
	accounts := tenancyv1connect.NewAccountServiceClient(browser, s.url)
	tn := &tenant{stack: s, email: name + "@example.com"}
	_, err = accounts.SignUp(ctx, &tenancyv1.SignUpRequest{Email: tn.email, Password: "correct horse battery " + name, Name: name})
	require.NoError(s.t, err)
	_, err = accounts.VerifyEmail(ctx, &tenancyv1.VerifyEmailRequest{Token: s.mailedVerification(tn.email)})
	require.NoError(s.t, err)
	made, err := accounts.CreateOrganization(ctx, &tenancyv1.CreateOrganizationRequest{Name: name})
	require.NoError(s.t, err)
	token, err := accounts.CreatePersonalToken(ctx, &tenancyv1.CreatePersonalTokenRequest{Name: "e2e"})
	require.NoError(s.t, err)
	tn.token, tn.org, tn.workspace = token.GetToken(), made.GetOrganization().GetSlug(), made.GetWorkspace().GetSlug()
	tn.http = &http.Client{Transport: bearer{tn}}
	tn.runs = runv1connect.NewRunServiceClient(tn.http, s.url)
	tn.pipelines = pipelinev1connect.NewPipelineServiceClient(tn.http, s.url)
	tn.pools = poolv1connect.NewPoolServiceClient(tn.http, s.url)
	tn.usage = usagev1connect.NewUsageServiceClient(tn.http, s.url)
	return tn
}

// bearer signs a tenant's calls.
type bearer struct{ *tenant }

// RoundTrip adds the credential and where it is used.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	r.Header.Set("Signalbox-Organization", b.org)
	r.Header.Set("Signalbox-Workspace", b.org+"/"+b.workspace)
	return http.DefaultTransport.RoundTrip(r)
}

var tokenInMail = regexp.MustCompile(`token=(sbi_[0-9A-Za-z]{36})`)

// mailedVerification returns the token of the mail that proves an address.
func (s *stack) mailedVerification(to string) string { return s.mailed(to, "/verify?") }

// mailed returns the token of the newest mail to an address whose link is of
// the given kind.
func (s *stack) mailed(to, kind string) string {
	s.t.Helper()
	var token string
	eventually(s.t, 10*time.Second, "mail to "+to, func() bool {
		files, _ := filepath.Glob(filepath.Join(s.mail(), "*"))
		for _, f := range files {
			b, err := os.ReadFile(f)
			// Quoted-printable breaks lines and writes = as =3D.
			text := strings.ReplaceAll(strings.ReplaceAll(string(b), "=\r\n", ""), "=3D", "=")
			if m := tokenInMail.FindStringSubmatch(text); err == nil && strings.Contains(text, to) && strings.Contains(text, kind) && m != nil {
				token = m[1]
			}
		}
		return token != ""
	})
	return token
}

// agent starts an agent of the tenant's default pool, in a folder of its own.
func (tn *tenant) agent(name string, slots int, env ...string) *process {
	tn.t.Helper()
	join, err := tn.pools.CreateJoinToken(tn.t.Context(), &poolv1.CreateJoinTokenRequest{Pool: "default"})
	require.NoError(tn.t, err)
	dir := filepath.Join(tn.dir, "agent-"+name)
	require.NoError(tn.t, os.MkdirAll(dir, 0o700))
	p := launch(tn.t, "agent "+name, tn.programs.agent, dir, env,
		"start", "--server", tn.url, "--token", join.GetToken(), "--name", name, "--slots", strconv.Itoa(slots), "--dir", dir)
	tn.online(name)
	return p
}

// online waits until an agent serves.
func (tn *tenant) online(name string) {
	tn.t.Helper()
	eventually(tn.t, 20*time.Second, "agent "+name+" is online", func() bool {
		res, err := tn.pools.ListAgents(tn.t.Context(), &poolv1.ListAgentsRequest{Pool: "default"})
		if err != nil {
			return false
		}
		for _, a := range res.GetAgents() {
			if a.GetName() == name && a.GetState() == "online" {
				return true
			}
		}
		return false
	})
}

// cli runs the command line as the tenant.
func (tn *tenant) cli(args ...string) (stdout string, code int) {
	tn.t.Helper()
	ctx, cancel := context.WithTimeout(tn.t.Context(), 2*time.Minute)
	defer cancel()
	return runCLI(ctx, tn, args)
}
