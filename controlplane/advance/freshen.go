package advance

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

// maxBehind is how many entries of a run may be folded under its lock.
const maxBehind = 1000

// remember finds the batch's runs before it locks anything: in the cache, or
// else by folding their journals. They are the batch's from then on, whatever
// the cache throws out.
func (b *batch) remember(ctx context.Context) {
	for key, w := range b.runs {
		if w.isNew {
			continue
		}
		if w.run = b.a.runs.get(key); w.run != nil {
			continue
		}
		loaded, err := b.a.loadRun(ctx, key)
		switch {
		case err == nil:
			w.run = b.a.runs.put(loaded)
		case fault.ReasonOf(err) == reasonArchived:
			w.failed = err
		case fault.KindOf(err) != fault.KindNotFound:
			w.failed = errUnavailable(err)
		}
	}
}

// freshen makes the states equal to the locked rows: a cache is verified by
// seq, never trusted. What other replicas wrote is read at once for all runs.
func (b *batch) freshen(ctx context.Context, conn *pgx.Conn) error {
	var behind journal.Positions
	for key, w := range b.runs {
		switch {
		case w.failed != nil || w.isNew:
			continue
		case w.seq == 0:
			w.run = nil // its row is not there
			continue
		case w.run == nil:
			w.failed = errUnavailable(errors.New("the run was not there a moment ago"))
			continue
		}
		if w.state.Seq > w.seq {
			// Never so, unless a commit that failed was not noticed: fold anew.
			b.a.runs.drop(key)
			w.run = b.a.runs.put(&run{key: key, info: w.info, version: w.version, state: engine.NewState(key.Run)})
		}
		if w.seq-w.state.Seq > maxBehind && !b.how.patient {
			return errBehind
		}
		if w.state.Seq < w.seq {
			behind.Add(key.Org, key.Run, w.state.Seq)
		}
	}
	if behind.Len() == 0 {
		return nil
	}
	err := journal.ReadMany(ctx, conn, behind, func(org, runID id.UUID, e engine.Entry, err error) {
		key := RunKey{org, runID}
		w := b.runs[key]
		if w.failed == nil && err == nil {
			err = w.fold(e)
		}
		if w.failed == nil && err != nil {
			b.spoil(w, key, err)
		}
	})
	if err != nil {
		return err
	}
	for key, w := range b.runs {
		if w.run != nil && w.failed == nil && !w.isNew && w.state.Seq != w.seq {
			b.spoil(w, key, fmt.Errorf("the journal of run %s ends at %d, its row says %d", id.Format(id.Run, key.Run), w.state.Seq, w.seq))
		}
	}
	return nil
}
