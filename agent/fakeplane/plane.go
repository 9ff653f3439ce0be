package fakeplane

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1/agentv1connect"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Token is a join token that every plane accepts.
const Token = "sbj_fake"

// Plane is a control plane with one workspace and one pool.
type Plane struct {
	URL       string
	Org       id.UUID
	Workspace id.UUID
	Pool      id.UUID

	t        testing.TB
	key      ed25519.PrivateKey // signs access tokens and grants
	listener net.Listener
	server   *httptest.Server

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced with each change
	sent     bytes.Buffer
	faults   faults
	agents   map[string]*agent
	used     map[string]bool // assertions
	sessions []string        // in the order in which they were opened
	draining bool
	alive    map[string]bool
	opened   []*agentv1.OpenSessionRequest
	plans    map[string][]byte
	leases   map[int64]*lease
	lastID   int64
	sealing  struct {
		kid    string
		public []byte
	}
	requests []*agentv1.DataRequest
	streams  map[string]*stream
}

type agent struct {
	id     string
	public ed25519.PublicKey
	gone   bool
}

// Start starts a plane that ends with the test.
func Start(t testing.TB) *Plane {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p := &Plane{
		Org: id.New(), Workspace: id.New(), Pool: id.New(), t: t, key: key, changed: make(chan struct{}),
		agents: map[string]*agent{}, used: map[string]bool{}, alive: map[string]bool{},
		plans: map[string][]byte{}, leases: map[int64]*lease{}, streams: map[string]*stream{},
	}
	p.Up()
	p.URL = p.server.URL
	t.Cleanup(p.Down)
	return p
}

// Up serves, after Down on the same port.
func (p *Plane) Up() {
	address := "127.0.0.1:0"
	if p.listener != nil {
		address = p.listener.Addr().String()
	}
	listener, err := net.Listen("tcp", address) //nolint:noctx // a test's own
	require.NoError(p.t, err)
	p.listener = listener
	path, handler := agentv1connect.NewAgentServiceHandler(&service{p})
	mux := http.NewServeMux()
	mux.Handle(path, p.record(p.authenticate(handler)))
	p.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}}
	p.server.Start()
}

// Down ends all connections and serves no more; its state stays. It is what a
// kill -9 of the control plane looks like to agents.
func (p *Plane) Down() {
	p.server.CloseClientConnections()
	p.notify() // whoever waits in a handler finds its connection gone
	p.server.Close()
}

// Sent is everything that agents have sent so far: bodies and headers.
func (p *Plane) Sent() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.sent.Bytes())
}

func (p *Plane) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.sent.WriteString(r.URL.String())
		_ = r.Header.Write(&p.sent)
		p.sent.Write(body)
		p.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// notify wakes everybody who waits for a change. The lock must not be held.
func (p *Plane) notify() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake()
}

// wake is notify for who holds the lock.
func (p *Plane) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// until waits until the condition, which is called with the lock held, is true.
// It fails the test after a minute.
func (p *Plane) until(what string, condition func() bool) {
	p.t.Helper()
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	for {
		p.mu.Lock()
		done, changed := condition(), p.changed
		p.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-timeout.C:
			require.FailNow(p.t, "waited a minute in vain", what)
		}
	}
}
