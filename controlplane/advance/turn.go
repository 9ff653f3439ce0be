package advance

import (
	"context"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

// PauseRun keeps a run from starting anything; see engine.Pause.
type PauseRun struct {
	RunKey

	Actor   string
	Reason  string
	Suspend bool
	Seen    int64
}

// ResumeRun lets a paused run go on; see engine.Resume.
type ResumeRun struct {
	RunKey

	Actor string
	Seen  int64
}

// PauseRun pauses or suspends a run. Errors: NotFound, RUN_PENDING,
// RUN_CANCELING, RUN_FINALIZING, RUN_TERMINAL.
func (a *Advancer) PauseRun(ctx context.Context, c PauseRun) error { return a.act(ctx, c.RunKey, c) }

// ResumeRun resumes a run. Errors: NotFound, RUN_NOT_PAUSED, RUN_TERMINAL.
func (a *Advancer) ResumeRun(ctx context.Context, c ResumeRun) error { return a.act(ctx, c.RunKey, c) }

func (b *batch) applyPause(w *runWork, c PauseRun) error {
	return b.decideAs(w, engine.Pause{
		Now: b.now, Actor: clean(c.Actor), Reason: clean(c.Reason), Suspend: c.Suspend, Seen: c.Seen, Live: b.live(w),
	}, nil)
}

func (b *batch) applyResume(w *runWork, c ResumeRun) error {
	return b.decideAs(w, engine.Resume{Now: b.now, Actor: clean(c.Actor), Seen: c.Seen, Live: b.live(w)}, nil)
}
