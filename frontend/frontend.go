// Package frontend serves the web app: the files that `npm run build` leaves in
// dist, embedded into the server's binary. It owns how the app is delivered:
// routes of the app fall back to index.html, hashed files are cached for ever,
// and every answer carries the security headers of headers.go. It knows nothing
// of the API and reads no cookie; whoever may not see a thing is told so by the
// API.
package frontend

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

// dist holds the built app, or nothing but .keep in a checkout that was never
// built, so that the package compiles without Node.
//
//go:embed all:dist
var dist embed.FS

// assetPrefix is where the build puts files that carry a hash of their content
// in their name.
const assetPrefix = "assets/"

// Handler serves the embedded app. Mount it at "/", below the API.
func Handler() http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("frontend: dist is not embedded: " + err.Error()) // cannot be: the embed pattern names it
	}
	return New(files)
}

// New serves the app in files, the content of a dist folder. Without an
// index.html it answers every route with a page that says how to build the app.
func New(files fs.FS) http.Handler {
	app := &app{files: files, index: readIndex(files), gzipped: newGzipCache()}
	return http.HandlerFunc(app.serve)
}

type app struct {
	files   fs.FS
	index   []string // the page, split where the nonce of the request goes; nil when not built
	gzipped *gzipCache
}

func (a *app) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if isFile(a.files, name) {
		a.serveFile(w, r, name)
		return
	}
	if !isRoute(name) {
		setHeaders(w.Header(), r, "")
		http.NotFound(w, r)
		return
	}
	a.serveIndex(w, r)
}

// isRoute tells the app's own URLs from misspelt files and RPCs, which must not
// be answered with a page.
func isRoute(name string) bool {
	return !strings.HasPrefix(name, assetPrefix) && !strings.HasPrefix(name, "signalbox.")
}

func isFile(files fs.FS, name string) bool {
	if name == "index.html" || strings.HasPrefix(name, ".") || !fs.ValidPath(name) {
		return false
	}
	info, err := fs.Stat(files, name)
	return err == nil && info.Mode().IsRegular()
}
