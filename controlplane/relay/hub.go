package relay

import (
	"sync"

	"github.com/signalboxhq/signalbox/proto/id"
)

// hub holds the streams whose readers are connected to this replica.
type hub struct {
	limits Limits
	spend  func(org id.UUID, bytes int) error

	mu       sync.Mutex
	streams  map[id.UUID]*stream
	byOrg    map[id.UUID]int
	stopping bool
}

func newHub(limits Limits, spend func(org id.UUID, bytes int) error) *hub {
	return &hub{limits: limits, spend: spend, streams: map[id.UUID]*stream{}, byOrg: map[id.UUID]int{}}
}

// open makes a stream that an agent will fill. remove must be called. Errors:
// RATE_LIMITED, UNAVAILABLE.
func (h *hub) open(org, agent id.UUID) (*stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.stopping:
		return nil, errStopping
	case h.byOrg[org] >= h.limits.Streams:
		return nil, errTooManyStreams(h.limits.Streams)
	}
	s := newStream(id.New(), org, agent, h.limits, func(bytes int) error { return h.spend(org, bytes) })
	h.streams[s.id] = s
	h.byOrg[org]++
	return s, nil
}

// remove ends a stream whose reader has gone or has all of it.
func (h *hub) remove(s *stream) {
	s.end(errStreamClosed)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, s.id)
	if h.byOrg[s.org]--; h.byOrg[s.org] == 0 {
		delete(h.byOrg, s.org)
	}
}

// find returns the stream of that id if it belongs to the agent, and nil
// otherwise.
func (h *hub) find(org, agent, sid id.UUID) *stream {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.streams[sid]
	if s == nil || s.org != org || s.agent != agent {
		return nil
	}
	return s
}

// stop ends all streams and lets none be opened again.
func (h *hub) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopping = true
	for _, s := range h.streams {
		s.end(errStopping)
	}
}
