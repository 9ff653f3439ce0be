package e2e_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// badNetwork is a round-robin proxy that loses, delays, repeats and cuts.
type badNetwork struct {
	targets []*url.URL
	turn    atomic.Uint64
	hurt    atomic.Int64 // how many requests were

	mu    sync.Mutex
	rand  *rand.Rand
	until map[harm]time.Time
}

var errCut = errors.New("the network is cut")

func newBadNetwork(t *testing.T, seed uint64, addresses []string) (*badNetwork, string) {
	t.Helper()
	n := &badNetwork{rand: rand.New(rand.NewPCG(seed, 2)), until: map[harm]time.Time{}}
	for _, a := range addresses {
		u, err := url.Parse("http://" + a)
		require.NoError(t, err)
		n.targets = append(n.targets, u)
	}
	proxy := &httputil.ReverseProxy{
		Transport: n, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(n.targets[int(n.turn.Add(1))%len(n.targets)])
			r.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if errors.Is(err, errCut) {
				panic(http.ErrAbortHandler) // the client sees its connection break
			}
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	srv := httptest.NewUnstartedServer(proxy)
	srv.Config.ErrorLog = nil
	srv.Start()
	t.Cleanup(srv.CloseClientConnections)
	t.Cleanup(srv.Close)
	return n, srv.URL
}

// set lets a harm last for a time.
func (n *badNetwork) set(h harm, lasts time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.until[h] = time.Now().Add(lasts)
}

// strikes says whether a harm that lasts hits this request: one in three.
func (n *badNetwork) strikes(h harm) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	hit := time.Now().Before(n.until[h]) && n.rand.IntN(3) == 0
	if hit {
		n.hurt.Add(1)
	}
	return hit
}

// RoundTrip passes a request on, or not.
func (n *badNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || strings.HasPrefix(r.Header.Get("Content-Type"), "application/connect+") {
		return http.DefaultTransport.RoundTrip(r) // a stream has its own ways
	}
	if n.strikes(loseRequests) {
		return nil, errCut
	}
	if n.strikes(delayRequests) {
		select {
		case <-time.After(3 * time.Second):
		case <-r.Context().Done():
		}
	}
	if n.strikes(repeat) {
		if r.Body == nil { // an empty message
			r.Body = http.NoBody
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, errCut
		}
		first := r.Clone(r.Context())
		first.Body, r.Body = io.NopCloser(bytes.NewReader(body)), io.NopCloser(bytes.NewReader(body))
		if res, err := http.DefaultTransport.RoundTrip(first); err == nil {
			swallow(res)
		}
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && n.strikes(loseAnswers) {
		swallow(res) // it was done, and nobody hears of it
		return nil, errCut
	}
	return res, err
}

func swallow(res *http.Response) {
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
}
