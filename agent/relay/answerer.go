package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/logs"
	"github.com/signalboxhq/signalbox/agent/value"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// maxStreams is how many requests are answered at a time; more are left to the
// reader to ask again.
const maxStreams = 64

// ControlPlane is what of the link this package needs.
type ControlPlane interface {
	CheckGrant(link.DataRequest) (reader string, err error)
	RunValues(ctx context.Context, run, grant string) (link.RunValues, error)
	SendFrames(ctx context.Context, stream string, frames []link.Frame) error
}

// Answerer answers data requests. It is safe for concurrent use.
type Answerer struct {
	plane     ControlPlane
	org       id.UUID
	logs      *logs.Store
	workspace func() *value.Workspace
	log       *slog.Logger
	slots     chan struct{}

	mu   sync.Mutex
	seen map[string]time.Time // the streams that were begun, by when
}

// seenFor is how long a stream is remembered: longer than a grant to begin one
// holds.
const seenFor = 2 * time.Minute

// New returns an answerer. The workspace may change when keys are imported, so
// it is asked for each time; it is nil before it is known.
func New(plane ControlPlane, org id.UUID, store *logs.Store, workspace func() *value.Workspace, log *slog.Logger) *Answerer {
	return &Answerer{
		plane: plane, org: org, logs: store, workspace: workspace,
		log: log.With(slog.String("component", "relay")), slots: make(chan struct{}, maxStreams), seen: map[string]time.Time{},
	}
}

// begins reports whether nobody has begun to answer a stream. The control plane
// asks again where it heard nothing yet; two answers would be sealed differently.
func (a *Answerer) begins(stream string) bool {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.seen, func(_ string, at time.Time) bool { return now.Sub(at) > seenFor })
	_, known := a.seen[stream]
	a.seen[stream] = now
	return !known
}

// Answer answers one request. It returns when the reader has everything, went
// away, or ctx ended. A request that came before is not answered again.
func (a *Answerer) Answer(ctx context.Context, request link.DataRequest) {
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	default:
		a.log.LogAttrs(ctx, slog.LevelWarn, "too many readers at a time", slog.String("run_id", request.Run))
		return
	}
	err := a.answer(ctx, request)
	if err != nil && !errors.Is(err, link.ErrStreamClosed) && ctx.Err() == nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "a data request was not answered",
			slog.String("run_id", request.Run), slog.String("task", request.Task), slog.Any("error", err))
	}
}

func (a *Answerer) answer(ctx context.Context, request link.DataRequest) error {
	reader, err := a.plane.CheckGrant(request)
	if err != nil {
		return err
	}
	run, err := id.Parse(id.Run, request.Run)
	if err != nil {
		return err
	}
	bound := seal.Stream{Org: a.org, Run: run, What: seal.ValuesOfRun}
	if request.Kind == link.DataLogs {
		bound.What = seal.LogsOf(request.Task, request.Attempt)
	}
	sealer, err := seal.NewStreamSealer(request.PublicKey, bound)
	if err != nil || !a.begins(request.Stream) {
		return err
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "data is read", slog.String("reader", reader),
		slog.String("run_id", request.Run), slog.String("what", bound.What))
	out := &stream{plane: a.plane, id: request.Stream, sealer: sealer}
	switch request.Kind {
	case link.DataLogs:
		return a.sendLog(ctx, out, request)
	case link.DataValues:
		return a.sendValues(ctx, out, request)
	case link.DataUnknown:
	}
	return fmt.Errorf("answer a data request: unknown kind %d", request.Kind)
}
