package advance

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Wake is what one run's command asks of another: a row that is written by the
// batch that decides it, and a command of a later batch, which deletes it under
// the lock of what it changes. One whose row is gone does nothing, so that it
// may be served as often as somebody finds it.
type Wake struct {
	Org  id.UUID
	ID   id.UUID
	Kind WakeKind
	// Run is what is changed; of WakeRelease the run that ended, if one did; of
	// WakeResume the last one that was looked at.
	Run      id.UUID
	Pipeline id.UUID
	Key      string // the line of WakeRelease, the path of WakeChild's task

	// Of nested pipelines: the parent's task, and the child.
	Task    int32
	Attempt int32
	Child   id.UUID
	// Answer is the entry with the task's params; 0 for none.
	Answer int64
	Force  bool

	Reason string
}

// WakeKind says what a wake asks for.
type WakeKind string

// The kinds of wakes.
const (
	WakeArrive     WakeKind = "arrive"  // a run's time to start has come
	WakeAdmit      WakeKind = "admit"   // a run has a place in its line, or its pipeline goes on
	WakeDrop       WakeKind = "drop"    // a newer run waits in its place
	WakeCancel     WakeKind = "cancel"  // a newer run takes its place, or its parent ends
	WakeRelease    WakeKind = "release" // a run has left its line: who is next?
	WakeResume     WakeKind = "resume"  // a pipeline goes on
	WakeChild      WakeKind = "child"   // a task starts another pipeline
	WakeChildEnded WakeKind = "child_ended"
)

const (
	// wakeGrace is for how long a wake is left to the replica that wrote it;
	// then whoever ticks serves it.
	wakeGrace = time.Second
	// wakesAtOnce bounds what this replica serves of its own, and wakesWaiting
	// what waits for that. What is beyond it the ticker finds.
	wakesAtOnce  = 32
	wakesWaiting = 10_000
)

// Wake serves a wake. Errors: UNAVAILABLE, after which its row is still there.
func (a *Advancer) Wake(ctx context.Context, w Wake) error {
	r := newRequest(w)
	switch w.Kind {
	case WakeArrive, WakeAdmit, WakeDrop, WakeCancel, WakeChildEnded:
		known, err := a.ensure(ctx, RunKey{w.Org, w.Run})
		if fault.KindOf(err) == fault.KindNotFound {
			return a.forgetWake(ctx, w)
		}
		if err != nil {
			return err
		}
		r.rows += 2 + len(known.version.tasks)
		if w.Kind == WakeChildEnded {
			if err := a.prepareEnd(ctx, r, w); err != nil {
				return err
			}
		}
	case WakeRelease, WakeResume:
		r.rows += 2 * fillAtOnce
	case WakeChild:
		err := a.prepareChild(ctx, r, w)
		if fault.KindOf(err) == fault.KindNotFound {
			return a.forgetWake(ctx, w)
		}
		if err != nil {
			return err
		}
	case WakeRecall:
		child, err := a.findChild(ctx, w)
		if err != nil {
			return err
		}
		if child == id.Nil {
			return a.forgetWake(ctx, w)
		}
		cancel := w
		cancel.Kind, cancel.Run = WakeCancel, child
		return a.Wake(ctx, cancel)
	}
	_, err := a.do(ctx, r)
	return err
}

const sqlForgetWake = `
	DELETE FROM wake
	WHERE org_id = @org_id
		AND id = @id`

// forgetWake drops a wake for a run that is not there: it would be found for
// ever.
func (a *Advancer) forgetWake(ctx context.Context, w Wake) error {
	if _, err := a.pool.Exec(ctx, sqlForgetWake, pgx.StrictNamedArgs{"org_id": w.Org, "id": w.ID}); err != nil {
		return fmt.Errorf("forget a wake: %w", err)
	}
	return nil
}

// serveWakes serves what this replica's batches have asked for, until ctx ends.
func (a *Advancer) serveWakes(ctx context.Context) {
	for range wakesAtOnce {
		a.running.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case w := <-a.wakes:
					a.serveWake(ctx, w)
				}
			}
		})
	}
}

func (a *Advancer) serveWake(ctx context.Context, w Wake) {
	err := a.Wake(ctx, w)
	if err == nil || ctx.Err() != nil || fault.KindOf(err) == fault.KindUnavailable {
		return // whoever ticks will find it
	}
	a.log.LogAttrs(ctx, slog.LevelWarn, "a wake was not served; it will be again", slog.String("kind", string(w.Kind)),
		slog.String("wake_id", w.ID.String()), slog.Any("error", err))
}

// pass hands the wakes of a batch on, after its commit.
func (a *Advancer) pass(b *batch) {
	for _, w := range b.wakes {
		if w.at.After(b.now.Add(wakeGrace)) {
			continue // its time has not come
		}
		select {
		case a.wakes <- w.Wake:
		default:
			return
		}
	}
}
