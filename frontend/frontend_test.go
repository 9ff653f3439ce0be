package frontend_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/frontend"
)

func built() http.Handler {
	return frontend.New(fstest.MapFS{
		"index.html":       {Data: []byte(`<meta name="csp-nonce" content="__CSP_NONCE__">`)},
		"assets/app-12.js": {Data: []byte("let x = 1")},
		"favicon.svg":      {Data: []byte("<svg/>")},
		".keep":            {Data: []byte("keep")},
	})
}

func get(t *testing.T, h http.Handler, path string, header ...string) answer {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return answer{StatusCode: rec.Code, Header: rec.Header(), Body: rec.Body}
}

// answer is what a handler wrote.
type answer struct {
	StatusCode int
	Header     http.Header
	Body       io.Reader
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(b)
}

func TestRoutesFallBackToTheApp(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/index.html", "/o/acme/w/main/runs/run_01", "/pipelines/a.b"} {
		res := get(t, built(), path)
		require.Equal(t, http.StatusOK, res.StatusCode, path)
		require.Equal(t, "no-cache", res.Header.Get("Cache-Control"), path)
		require.Contains(t, text(t, res.Body), `name="csp-nonce"`, path)
	}
}

func TestNonceOfThePageIsTheNonceOfThePolicy(t *testing.T) {
	t.Parallel()
	h := built()
	first, second := get(t, h, "/"), get(t, h, "/")
	page := text(t, first.Body)
	nonce := strings.Split(page, `"`)[3]
	require.Len(t, nonce, 26)
	require.Contains(t, first.Header.Get("Content-Security-Policy"), "style-src 'self' 'nonce-"+nonce+"'")
	require.NotContains(t, second.Header.Get("Content-Security-Policy"), nonce)
	require.NotContains(t, first.Header.Get("Content-Security-Policy"), "unsafe")
}

func TestFilesThatAreMissingAreNotPages(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/assets/old-99.js", "/signalbox.run.v1.RunService/Nothing"} {
		require.Equal(t, http.StatusNotFound, get(t, built(), path).StatusCode, path)
	}
	require.NotContains(t, text(t, get(t, built(), "/.keep").Body), "keep")
}

func TestHashedFilesAreCachedForEver(t *testing.T) {
	t.Parallel()
	res := get(t, built(), "/assets/app-12.js")
	require.Equal(t, "public, max-age=31536000, immutable", res.Header.Get("Cache-Control"))
	require.Equal(t, "text/javascript; charset=utf-8", res.Header.Get("Content-Type"))
	require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
	require.Equal(t, "public, max-age=3600", get(t, built(), "/favicon.svg").Header.Get("Cache-Control"))
}

func TestScriptsAreCompressedForWhoAsks(t *testing.T) {
	t.Parallel()
	h := built()
	for range 2 { // from the compressor, then from its cache
		res := get(t, h, "/assets/app-12.js", "Accept-Encoding", "br, gzip")
		require.Equal(t, "gzip", res.Header.Get("Content-Encoding"))
		plain, err := gzip.NewReader(res.Body)
		require.NoError(t, err)
		require.Equal(t, "let x = 1", text(t, plain))
	}
	require.Equal(t, "let x = 1", text(t, get(t, h, "/assets/app-12.js").Body))
}

func TestTransportSecurityOnlyOverTLS(t *testing.T) {
	t.Parallel()
	require.Empty(t, get(t, built(), "/").Header.Get("Strict-Transport-Security"))
	require.NotEmpty(t, get(t, built(), "/", "X-Forwarded-Proto", "https").Header.Get("Strict-Transport-Security"))
}

func TestWithoutABuildThePageSaysSo(t *testing.T) {
	t.Parallel()
	res := get(t, frontend.New(fstest.MapFS{".keep": {}}), "/")
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.Contains(t, text(t, res.Body), "make build")
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	frontend.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/", nil))
	require.Equal(t, http.StatusMethodNotAllowed, rec.Code)
}
