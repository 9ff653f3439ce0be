package e2e_test

import (
	"bytes"
	"strings"
	"sync"
)

// awaited gathers what a program prints, and tells when a word was among it.
type awaited struct {
	word  string
	found chan struct{}

	mu   sync.Mutex
	all  bytes.Buffer
	seen bool
}

// Write is called by the program's pipes.
func (a *awaited) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all.Write(b)
	if !a.seen && strings.Contains(a.all.String(), a.word) {
		a.seen = true
		close(a.found)
	}
	return len(b), nil
}

func (a *awaited) text() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all.String()
}
