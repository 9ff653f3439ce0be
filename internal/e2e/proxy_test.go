package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// roundRobin sends every request to the next address: nothing may depend on two
// requests reaching the same replica.
func roundRobin(t *testing.T, addresses []string) string {
	t.Helper()
	var proxies []*httputil.ReverseProxy
	for _, a := range addresses {
		u, err := url.Parse("http://" + a)
		require.NoError(t, err)
		p := httputil.NewSingleHostReverseProxy(u)
		p.FlushInterval = -1 // streams
		proxies = append(proxies, p)
	}
	var n atomic.Uint64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxies[int(n.Add(1))%len(proxies)].ServeHTTP(w, r)
	}))
	t.Cleanup(srv.CloseClientConnections)
	t.Cleanup(srv.Close)
	return srv.URL
}
