package follow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// Stream is the service's stream of a run.
type Stream interface {
	Receive() bool
	Msg() *runv1.WatchRunResponse
	Err() error
	Close() error
}

// Watch follows a run through lost connections and restarts of the server.
type Watch struct {
	// Open begins the stream, whole, from the run's present state.
	Open func(ctx context.Context) (Stream, error)
	// Delay is how long to wait before the attempt-th opening in a row.
	Delay func(attempt int) time.Duration
	// Lost is told once for each time that the stream was lost.
	Lost func(err error)
}

// Each hands on what the stream says until the run is terminal, and returns the
// last that it said. It returns the first refusal that trying again would not
// change, ctx's error, and each's.
func (w Watch) Each(ctx context.Context, each func(*runv1.WatchRunResponse) error) (*runv1.WatchRunResponse, error) {
	var last *runv1.WatchRunResponse
	for attempt := 1; ; attempt++ {
		seen, err := w.once(ctx, &last, each)
		switch {
		case last != nil && Terminal(last.GetRun().GetState()):
			return last, nil
		case ctx.Err() != nil:
			return last, ctx.Err()
		case err != nil && !passing(err):
			return last, err
		}
		if seen || attempt == 1 {
			attempt = 1
			if err == nil {
				err = errors.New("the stream ended before the run did")
			}
			w.Lost(err)
		}
		if err := wait(ctx, w.Delay(attempt)); err != nil {
			return last, err
		}
	}
}

// once reads one stream; seen reports whether it said anything.
func (w Watch) once(ctx context.Context, last **runv1.WatchRunResponse, each func(*runv1.WatchRunResponse) error) (seen bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := w.Open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = stream.Close() }()
	for stream.Receive() {
		seen, *last = true, stream.Msg()
		if err := each(*last); err != nil {
			return seen, &stop{err}
		}
	}
	return seen, stream.Err()
}

// stop is an error of the reader, which must not be taken for a lost stream.
type stop struct{ error }

func (s *stop) Unwrap() error { return s.error }

// passing reports whether the stream may be had by trying again: the server was
// restarted, the way to it was cut.
func passing(err error) bool {
	if err == nil {
		return true
	}
	var own *stop
	var refused *connect.Error
	if errors.As(err, &own) || !errors.As(err, &refused) {
		return false
	}
	switch refused.Code() { //nolint:exhaustive // the others are refusals
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeAborted:
		return true
	case connect.CodeInternal, connect.CodeUnknown, connect.CodeCanceled:
		// Not said by the service but found by the client: a stream that was cut.
		return !connect.IsWireError(err)
	}
	return false
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the stream: %w", ctx.Err())
	}
}

// Terminal reports whether a run in this state has ended.
func Terminal(state string) bool {
	switch state {
	case "succeeded", "failed", "canceled", "dropped":
		return true
	}
	return false
}

// Failing reports whether a task of the run has failed for good.
func Failing(tasks []*runv1.Task) bool {
	for _, t := range tasks {
		if t.GetState() == "failed" || t.GetItems().GetFailed() > 0 {
			return true
		}
	}
	return false
}

// Asking reports whether a run waits for people, and for nothing else.
func Asking(tasks []*runv1.Task) bool {
	waits := false
	for _, t := range tasks {
		switch t.GetState() {
		case "ready", "running", "backoff":
			return false
		case "expanding":
			if n := t.GetItems(); n == nil || t.GetKind() == "map" && n.GetRunning()+n.GetWaiting() > 0 {
				return false // what is part of a group stands below it
			}
		case "held":
			if t.GetHold().GetKind() != "approval" {
				return false
			}
			waits = true
		}
	}
	return waits
}
