package datastream

import (
	"context"
	"errors"
	"fmt"
	"io"

	"connectrpc.com/connect"

	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1/relayv1connect"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// Source is what a reader asks for.
type Source struct {
	// Org is the organization that the run belongs to: part of what the frames
	// are bound to.
	Org id.UUID
	// Run is the run's id as text.
	Run  string
	Kind relayv1.DataKind
	// Task and Attempt say whose log; attempt 0 is the last one.
	Task    string
	Attempt uint32
	// Offset is where to begin in a log, in bytes.
	Offset uint64
	Follow bool
}

// what spells what the stream carries, as the agent does that seals it.
func (s Source) what() string {
	if s.Kind == relayv1.DataKind_DATA_KIND_LOGS {
		return seal.LogsOf(s.Task, s.Attempt)
	}
	return seal.ValuesOfRun
}

// Read opens a stream and hands on its payloads in order until its last frame.
// It returns seal.ErrTruncated for a stream that ended before that, seal.ErrCorrupt
// for frames that are not the agent's, and the service's refusals.
func Read(ctx context.Context, relay relayv1connect.RelayServiceClient, random io.Reader, src Source, each func(payload []byte) error) error {
	run, err := id.Parse(id.Run, src.Run)
	if err != nil {
		return err
	}
	key, err := seal.NewReaderKey(random)
	if err != nil {
		return fmt.Errorf("make a key for the stream: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream where it is left before its end
	frames, err := relay.OpenDataStream(ctx, &relayv1.OpenDataStreamRequest{
		RunId: src.Run, Kind: src.Kind, Task: src.Task, Attempt: src.Attempt,
		PublicKey: key.Public(), Offset: src.Offset, Follow: src.Follow,
	})
	if err != nil {
		return err
	}
	defer func() { _ = frames.Close() }()
	opener := key.Opener(seal.Stream{Org: src.Org, Run: run, What: src.what()})
	for frames.Receive() {
		frame := frames.Msg().GetFrame()
		if frame == nil {
			continue // who answers: nothing to open
		}
		payload, final, err := opener.Open(frame.GetCiphertext())
		if err != nil {
			return fmt.Errorf("open the stream: %w", err)
		}
		if err := each(payload); err != nil || final {
			return err
		}
	}
	if err := frames.Err(); err != nil {
		return err
	}
	return opener.Close()
}

// Cut reports whether a stream ended because the way to the agent was lost, so
// that it may be opened again where it ended.
func Cut(err error) bool {
	if errors.Is(err, seal.ErrTruncated) {
		return true
	}
	var refused *connect.Error
	if !errors.As(err, &refused) {
		return false // an error of the reader
	}
	switch refused.Code() { //nolint:exhaustive // the others are refusals
	case connect.CodeUnavailable, connect.CodeAborted, connect.CodeDeadlineExceeded:
		return true
	case connect.CodeInternal, connect.CodeUnknown:
		return !connect.IsWireError(err)
	}
	return false
}
