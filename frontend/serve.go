package frontend

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// cacheForever goes to files whose name changes with their content, cacheShort
// to the few that keep their name, cacheNever to the page that names the others.
const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheShort   = "public, max-age=3600"
	cacheNever   = "no-cache"
)

// notBuilt is shown by a binary that was compiled without the app.
const notBuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Signalbox: the web app is not built</title>
<h1>The web app is not built</h1>
<p>This server was compiled without it. Run <code>make build</code> and start the server again.</p>
<p>The API and the command line work without the web app.</p>
</html>
`

func readIndex(files fs.FS) []string {
	page, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return nil
	}
	return strings.Split(string(page), nonceMark)
}

func (a *app) serveIndex(w http.ResponseWriter, r *http.Request) {
	nonce := newNonce()
	setHeaders(w.Header(), r, nonce)
	w.Header().Set("Cache-Control", cacheNever)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	page, status := strings.Join(a.index, nonce), http.StatusOK
	if a.index == nil {
		page, status = notBuilt, http.StatusServiceUnavailable
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write([]byte(page)) // nobody is left to tell when the client is gone
}

func (a *app) serveFile(w http.ResponseWriter, r *http.Request, name string) {
	body, err := fs.ReadFile(a.files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	setHeaders(w.Header(), r, "")
	w.Header().Set("Cache-Control", cacheShort)
	if strings.HasPrefix(name, assetPrefix) {
		w.Header().Set("Cache-Control", cacheForever)
	}
	if compressible(name) {
		w.Header().Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			body = a.gzipped.get(name, body)
			w.Header().Set("Content-Encoding", "gzip")
		}
	}
	// ServeContent finds the type by the extension and answers HEAD and ranges.
	http.ServeContent(w, r, path.Base(name), time.Time{}, bytes.NewReader(body))
}

// compressible leaves out fonts and pictures, which are compressed already.
func compressible(name string) bool {
	switch path.Ext(name) {
	case ".js", ".css", ".svg", ".json", ".txt":
		return true
	}
	return false
}

// gzipCache keeps each file compressed once: they are few and never change.
type gzipCache struct {
	mu    sync.Mutex
	files map[string][]byte
}

func newGzipCache() *gzipCache { return &gzipCache{files: map[string][]byte{}} }

func (c *gzipCache) get(name string, body []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if small, ok := c.files[name]; ok {
		return small
	}
	var buf bytes.Buffer
	zip := gzip.NewWriter(&buf)
	_, _ = zip.Write(body) // a bytes.Buffer takes everything
	_ = zip.Close()
	c.files[name] = buf.Bytes()
	return buf.Bytes()
}
