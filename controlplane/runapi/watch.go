package runapi

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/controlplane/watch"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

const (
	// keepAlive is how often a run that does not change is sent again: proxies
	// cut streams that are silent for a minute.
	keepAlive = 25 * time.Second
	// maxStream bounds a stream, because who may read was asked at its beginning
	// only: after it the client opens another one and is asked again.
	maxStream = 15 * time.Minute
)

// watch sends a run whole, and again at every change, until it is terminal.
func (h *Handler) watch(ctx context.Context, by caller.Caller, ref rundb.Ref, send func(*runv1.WatchRunResponse) error) error {
	run, err := h.store.Get(ctx, by, ref)
	if err != nil {
		return err
	}
	// Subscribed before the first reading, so that no change falls in between.
	sub, err := h.watcher.Subscribe(watch.Run{Org: by.OrgID, ID: run.ID})
	if err != nil {
		return err
	}
	defer sub.Close()
	end := time.NewTimer(maxStream)
	defer end.Stop()
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()

	w := &watching{reader: h.store.Reader(by, rundb.RefTo(run.ID)), send: send}
	for again := false; ; {
		if terminal, err := w.step(ctx, again); err != nil || terminal {
			return err
		}
		again = false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return errAgain
		case <-alive.C:
			again = true
		case _, ok := <-sub.Changed():
			if !ok {
				return errAgain // this replica stops
			}
		}
	}
}

// watching is one stream's reading of its run.
type watching struct {
	reader *rundb.Reader
	send   func(*runv1.WatchRunResponse) error
	last   *runv1.WatchRunResponse
}

// step reads the run and sends it if it is another than before, or anyway. It
// reports whether the run is terminal: nothing follows then.
func (w *watching) step(ctx context.Context, anyway bool) (terminal bool, err error) {
	view, err := w.reader.Read(ctx)
	if err != nil {
		return false, err
	}
	next := &runv1.WatchRunResponse{}
	if next.Run, next.Tasks, err = viewMessages(&view); err != nil {
		return false, err
	}
	if !anyway && w.last != nil && proto.Equal(w.last, next) {
		return false, nil
	}
	w.last = next
	return view.Run.Terminal(), w.send(next)
}
