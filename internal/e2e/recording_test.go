package e2e_test

import (
	"io"
	"strings"
	"sync"
)

// recording keeps all bytes that pass.
type recording struct {
	mu    sync.Mutex
	heard strings.Builder
}

func (r *recording) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard.String()
}

func (r *recording) tee(body io.ReadCloser) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(body, r), body}
}

// Write keeps what passes.
func (r *recording) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard.Write(b)
}
