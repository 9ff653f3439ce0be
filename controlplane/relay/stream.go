package relay

import (
	"context"
	"sync"

	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// maxWaiting is how many senders may wait in a stream: an agent needs one, and
// another while a proxy still holds the first.
const maxWaiting = 4

// stream is the way from one agent to one reader: frames in the order of their
// numbers, from zero, each once.
type stream struct {
	id, org, agent id.UUID
	limits         Limits
	spend          func(bytes int) error // counts what is passed on
	askAgain       func(ctx context.Context)

	news chan struct{} // holds one: the agent was heard
	over chan struct{} // closed with the stream

	mu      sync.Mutex
	queue   []*relayv1.Frame
	bytes   int    // in queue
	next    uint64 // number of the frame that comes next
	last    bool   // the last frame has come
	waiting int
	moved   chan struct{} // closed, and replaced, when queue or next changed
	why     error         // what ended the stream
}

func newStream(sid, org, agent id.UUID, limits Limits, spend func(bytes int) error) *stream {
	return &stream{
		id: sid, org: org, agent: agent, limits: limits, spend: spend, askAgain: func(context.Context) {},
		news: make(chan struct{}, 1), over: make(chan struct{}), moved: make(chan struct{}),
	}
}

// end closes the stream; why is what its reader is told if he is still there.
func (s *stream) end(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(why)
}

func (s *stream) endLocked(why error) {
	if s.why == nil {
		s.why = why
		s.queue, s.bytes = nil, 0
		close(s.over)
	}
}

// push hands frames over, waiting for their turn and for room. A frame that came
// before is passed over: its sender did not get the answer. So the same frames
// may always be pushed again. Errors: STREAM_CLOSED, RATE_LIMITED,
// INVALID_ARGUMENT for a gap.
func (s *stream) push(ctx context.Context, frames []*relayv1.Frame) error {
	ctx, cancel := context.WithTimeout(ctx, s.limits.RoomWithin)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard()
	for _, f := range frames {
		if err := s.admit(ctx, f); err != nil {
			return err
		}
	}
	if s.why != nil {
		return errStreamClosed
	}
	return nil
}

func (s *stream) admit(ctx context.Context, f *relayv1.Frame) error {
	for {
		switch {
		case s.why != nil:
			return errStreamClosed
		case f.GetSeq() < s.next:
			return nil
		case s.last:
			return errStreamClosed
		case f.GetSeq() == s.next && s.fits(f):
			return s.add(f)
		}
		if err := s.wait(ctx, f); err != nil {
			return err
		}
	}
}

// frameOverhead is what a frame costs beside its ciphertext, so that empty ones
// are bounded as well.
const frameOverhead = 64

func costOf(f *relayv1.Frame) int { return len(f.GetCiphertext()) + frameOverhead }

// fits lets any frame into an empty queue, however large.
func (s *stream) fits(f *relayv1.Frame) bool {
	return len(s.queue) == 0 || s.bytes+costOf(f) <= s.limits.Buffer
}

func (s *stream) add(f *relayv1.Frame) error {
	if err := s.spend(costOf(f)); err != nil {
		s.endLocked(err)
		return errStreamClosed
	}
	s.queue = append(s.queue, f)
	s.bytes += costOf(f)
	s.next++
	s.last = f.GetLast()
	s.changed()
	s.heard()
	return nil
}

// wait returns when something has changed. It gives the lock up meanwhile.
func (s *stream) wait(ctx context.Context, f *relayv1.Frame) error {
	if s.waiting >= maxWaiting {
		return errSlowReader
	}
	moved := s.moved
	s.waiting++
	s.mu.Unlock()
	select {
	case <-moved:
	case <-s.over:
	case <-ctx.Done():
	}
	s.mu.Lock()
	s.waiting--
	switch {
	case ctx.Err() == nil:
		return nil
	case f.GetSeq() > s.next && len(s.queue) == 0:
		return errFrames("frame %d came, but not frame %d", f.GetSeq(), s.next)
	}
	return errSlowReader
}

// heard tells the reader's side that the agent lives.
func (s *stream) heard() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// changed wakes the senders that wait.
func (s *stream) changed() {
	close(s.moved)
	s.moved = make(chan struct{})
}

// take returns what waits for the reader, and whether nothing more will come.
func (s *stream) take() (frames []*relayv1.Frame, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	frames, s.queue, s.bytes = s.queue, nil, 0
	if len(frames) > 0 {
		s.changed()
	}
	return frames, s.last
}

// reason is what ended the stream.
func (s *stream) reason() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// answered reports whether the agent sent anything.
func (s *stream) answered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next > 0
}
