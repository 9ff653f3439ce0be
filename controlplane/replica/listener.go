package replica

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/signalboxhq/signalbox/internal/fault"
)

// maxBody bounds a request, in bytes.
const maxBody = 2 << 20

// What an answer's status means. A fault of the handler has a body.
const (
	statusDone    = http.StatusNoContent
	statusAnswer  = http.StatusOK
	statusRefused = http.StatusForbidden
	statusFault   = http.StatusConflict
)

// wireFault is a handler's fault on its way.
type wireFault struct {
	Kind   string       `json:"kind"`
	Reason fault.Reason `json:"reason"`
	Text   string       `json:"text"`
}

func (w wireFault) fault() (*fault.Error, bool) {
	for _, k := range fault.Kinds() {
		if k.String() == w.Kind {
			return &fault.Error{Kind: k, Reason: w.Reason, Text: w.Text}, true
		}
	}
	return nil, false
}

func newServer(r *Replica) *http.Server {
	return &http.Server{
		Handler:           http.HandlerFunc(r.receive),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(r.log.Handler(), slog.LevelWarn),
	}
}

// receive answers another replica. Whoever is none learns nothing, not even
// which paths there are.
func (r *Replica) receive(w http.ResponseWriter, req *http.Request) {
	s, err := parseSignature(req.Header.Get(header))
	if err != nil || !r.fresh(s) {
		r.refuse(req.Context(), w)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if err != nil || r.check(s, req.URL.Path, body) != nil {
		r.refuse(req.Context(), w)
		return
	}
	h := r.handlers[req.URL.Path]
	if h == nil { // Of another release.
		w.WriteHeader(http.StatusNotFound)
		return
	}
	answer, err := h(req.Context(), body)
	r.answer(req.Context(), w, answer, err)
}

func (r *Replica) refuse(ctx context.Context, w http.ResponseWriter) {
	r.log.LogAttrs(ctx, slog.LevelWarn, "refused a request at the internal listener")
	w.WriteHeader(statusRefused)
}

func (r *Replica) answer(ctx context.Context, w http.ResponseWriter, answer []byte, err error) {
	if err == nil && answer != nil {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(answer) // The caller has gone: nothing to do.
		return
	}
	if err == nil {
		w.WriteHeader(statusDone)
		return
	}
	f, ok := fault.As(err)
	if !ok {
		r.log.LogAttrs(ctx, slog.LevelError, "an internal request was not served", slog.Any("error", err))
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(statusFault)
	_ = json.NewEncoder(w).Encode(wireFault{f.Kind.String(), f.Reason, f.Text}) // The caller has gone: nothing to do.
}
