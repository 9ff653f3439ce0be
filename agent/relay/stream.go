package relay

import (
	"context"
	"errors"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// maxPayload is how much one frame carries. The relay holds some 128 KiB for a
// slow reader, so smaller frames flow better.
const maxPayload = 48 << 10

// maxTries is how often frames are sent until the stream is given up. The same
// frames may be sent again: the relay knows them by their numbers.
const maxTries = 8

// stream is the agent's end of a sealed stream.
type stream struct {
	plane  ControlPlane
	id     string
	sealer *seal.StreamSealer
	next   uint64
}

// send seals and sends a payload of any length; last ends the stream.
func (s *stream) send(ctx context.Context, payload []byte, last bool) error {
	for first := true; first || len(payload) > 0; first = false {
		part := payload[:min(len(payload), maxPayload)]
		payload = payload[len(part):]
		final := last && len(payload) == 0
		ciphertext, err := s.sealer.Seal(part, final)
		if err != nil {
			return err
		}
		frame := link.Frame{Seq: s.next, Ciphertext: ciphertext, Last: final}
		s.next++
		if err := s.deliver(ctx, []link.Frame{frame}); err != nil {
			return err
		}
	}
	return nil
}

// alive says that the agent is there and has nothing to send. It returns
// link.ErrStreamClosed where nobody reads any more.
func (s *stream) alive(ctx context.Context) error { return s.deliver(ctx, nil) }

func (s *stream) deliver(ctx context.Context, frames []link.Frame) error {
	var backoff link.Backoff
	for try := 1; ; try++ {
		err := s.plane.SendFrames(ctx, s.id, frames)
		if err == nil || errors.Is(err, link.ErrStreamClosed) || !link.Temporary(err) || try == maxTries {
			return err
		}
		if !backoff.Wait(ctx) {
			return ctx.Err()
		}
	}
}
