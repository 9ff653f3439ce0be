package relay

import (
	"context"
	"time"

	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
)

// pump sends a stream's frames to its reader until the last one is sent (nil),
// the reader leaves (the error of ctx), or the stream ends otherwise.
func (s *stream) pump(ctx context.Context, send func(*relayv1.Frame) error) error {
	silence := time.NewTimer(s.limits.AnswerWithin)
	defer silence.Stop()
	life := time.NewTimer(s.limits.Life)
	defer life.Stop()
	unheard := time.NewTicker(s.limits.AskAgain)
	defer unheard.Stop()
	for {
		frames, last := s.take()
		if err := s.send(ctx, frames, send); err != nil {
			return err
		}
		if last {
			return nil
		}
		select {
		case <-s.news:
			silence.Reset(s.limits.Silence)
			unheard.Stop()
		case <-unheard.C:
			s.askAgain(ctx)
		case <-s.over:
			return s.reason()
		case <-ctx.Done():
			return ctx.Err()
		case <-life.C:
			return errLasted
		case <-silence.C:
			// Sending may have taken all of the time.
			if len(s.news) == 0 {
				return s.silent()
			}
			silence.Reset(s.limits.Silence)
		}
	}
}

func (s *stream) silent() error {
	if s.answered() {
		return errFellSilent
	}
	return errNoAnswer
}

// send writes frames to the reader. Nothing can interrupt a write to a reader
// who takes nothing, but the agent need not wait for it.
func (s *stream) send(ctx context.Context, frames []*relayv1.Frame, send func(*relayv1.Frame) error) error {
	if len(frames) == 0 {
		return nil
	}
	stuck := time.AfterFunc(s.limits.Silence, func() { s.end(errStuck) })
	defer stuck.Stop()
	for _, f := range frames {
		if err := send(f); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return errStreamClosed.Because(err)
		}
	}
	return nil
}
