package advance

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Parent is the task that a run is the child of.
type Parent struct {
	Run     id.UUID
	Task    int32
	Attempt int32
	Path    string
	// Root is the run at the top, Depth how far below it the child stands.
	Root  id.UUID
	Depth int32
}

// ParentTask is a task that starts a child.
type ParentTask struct {
	RunKey

	Task    int32
	Attempt int32
	Path    string
	// Answer is the seq of the entry in which an agent told its params; 0 if that
	// is not the one with which it began.
	Answer int64
}

// MaxDepth is how deep runs may stand below each other.
const MaxDepth = 8

// Nester knows what a task that runs another pipeline starts. It reads values
// without opening them; the group commit knows nothing of either.
type Nester interface {
	// Child is the start of a task's child, its Parent filled in. A fault other
	// than Unavailable fails the task with its text.
	Child(ctx context.Context, task ParentTask) (StartRun, error)
	// Left is what a child leaves to its parent's task, encoded as an attempt's
	// body; nil for nothing. A fault other than Unavailable fails the task.
	Left(ctx context.Context, child RunKey) ([]byte, error)
}

// Nest sets who knows; without one, tasks that run other pipelines fail. It is
// called before Start.
func (a *Advancer) Nest(n Nester) { a.nester = n }

const (
	// WakeRecall tells the child of a task to end.
	WakeRecall WakeKind = "recall"
)

// prepareChild finds out what a task starts.
func (a *Advancer) prepareChild(ctx context.Context, r *request, w Wake) error {
	parent := RunKey{w.Org, w.Run}
	if _, err := a.ensure(ctx, parent); err != nil {
		return err
	}
	err := error(fault.FailedPrecondition("INTERNAL", "nested pipelines are not served here"))
	var c StartRun
	if a.nester != nil {
		c, err = a.nester.Child(ctx, ParentTask{RunKey: parent, Task: w.Task, Attempt: w.Attempt, Path: w.Key, Answer: w.Answer})
	}
	if err == nil {
		r.version, err = a.versions.get(ctx, c.Org, c.Pipeline, c.Digest)
	}
	if err == nil {
		err = a.declared(ctx, c, r.version)
	}
	if text, told := lasting(err); told {
		r.refused = text
		return nil
	}
	if err == nil {
		r.start, r.run = &c, w.Child
		r.rows += 2 + r.version.first
	}
	return err
}

// lasting is the text of an error that asking again would not mend.
func lasting(err error) (string, bool) {
	known, told := fault.As(err)
	if !told || known.Kind == fault.KindUnavailable || known.Kind == fault.KindInternal {
		return "", false
	}
	return known.Text, true
}

const sqlFindChild = `
	SELECT r.id
	FROM run r
	WHERE r.org_id = @org_id
		AND r.parent_run = @run_id
		AND r.parent_task = @task
		AND r.parent_attempt = @attempt`

// findChild is the run that a recall is about; Nil if it never began, and never
// will: its parent does not wait for it any more.
func (a *Advancer) findChild(ctx context.Context, w Wake) (id.UUID, error) {
	var child id.UUID
	args := pgx.StrictNamedArgs{"org_id": w.Org, "run_id": w.Run, "task": w.Task, "attempt": w.Attempt}
	err := a.pool.QueryRow(ctx, sqlFindChild, args).Scan(&child)
	if err != nil && !pg.NoRows(err) {
		return id.Nil, fmt.Errorf("find a child: %w", err)
	}
	return child, nil
}

const sqlReadEnd = `
	SELECT r.state, r.reason, r.number, p.name
	FROM run r
	JOIN pipeline p ON p.org_id = r.org_id AND p.id = r.pipeline_id
	WHERE r.org_id = @org_id
		AND r.id = @run_id`

// prepareEnd finds out how a child ended.
func (a *Advancer) prepareEnd(ctx context.Context, r *request, w Wake) error {
	var state, reason, name string
	var number int64
	err := a.pool.QueryRow(ctx, sqlReadEnd, pgx.StrictNamedArgs{"org_id": w.Org, "run_id": w.Child}).Scan(&state, &reason, &number, &name)
	if err != nil {
		return fmt.Errorf("read the end of a child: %w", err)
	}
	if r.outcome, err = engine.ParseRunState(state); err != nil {
		return err
	}
	if r.outcome != engine.RunSucceeded {
		r.refused = fmt.Sprintf("%s#%d %s", name, number, state)
		if reason != "" {
			r.refused += ": " + reason
		}
		return nil
	}
	if a.nester == nil {
		return nil
	}
	r.left, err = a.nester.Left(ctx, RunKey{w.Org, w.Child})
	if text, told := lasting(err); told {
		r.outcome, r.refused, err = engine.RunFailed, fmt.Sprintf("%s#%d: %s", name, number, text), nil
	}
	return err
}

// applyChild starts a task's child, in the batch that has its parent locked: if
// that does not wait for it any more, it never begins.
func (b *batch) applyChild(w *runWork, r *request, c Wake) error {
	child := engine.Child{Task: c.Task, Attempt: c.Attempt}
	if !engine.Awaits(w.version.graph, w.state, child) {
		return nil
	}
	end := engine.ChildEnded{Now: b.now, Child: child, Live: b.live(w)}
	switch {
	case w.state.Run == engine.RunCanceling:
		end.Outcome, end.Reason = engine.RunCanceled, "it never started"
		return b.decideAs(w, end, nil)
	case r.start == nil:
		end.Outcome, end.Reason = engine.RunFailed, r.refused
		return b.decideAs(w, end, nil)
	}
	cw := b.runs[RunKey{c.Org, c.Child}]
	if err := b.create(cw, r, *r.start); err != nil {
		if isFinal(err) {
			end.Outcome, end.Reason = engine.RunFailed, err.Error()
			return b.decideAs(w, end, nil)
		}
		return err
	}
	return nil
}

// isFinal reports whether a start that failed will fail again.
func isFinal(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.KindNotFound || kind == fault.KindResourceExhausted || kind == fault.KindFailedPrecondition
}

// applyChildEnded tells a task that its child has ended. One that goes on again
// will end again.
func (b *batch) applyChildEnded(w *runWork, r *request, c Wake) error {
	return b.decideAs(w, engine.ChildEnded{
		Now: b.now, Child: engine.Child{Task: c.Task, Attempt: c.Attempt}, Outcome: r.outcome, Reason: r.refused, Live: b.live(w),
	}, r.left)
}

// callChildren asks for the children that a decision starts or recalls.
func (b *batch) callChildren(w *runWork, d *engine.Decision) {
	for _, c := range d.Children {
		b.wake(Wake{
			Org: w.key.Org, Kind: WakeChild, Run: w.key.Run, Pipeline: w.info.pipeline, Key: w.version.graph.Path(w.state, c.Task),
			Task: c.Task, Attempt: c.Attempt, Child: id.New(), Answer: answerIn(d, c.Task),
		})
	}
	for _, c := range d.Recalled {
		b.wake(Wake{
			Org: w.key.Org, Kind: WakeRecall, Run: w.key.Run, Pipeline: w.info.pipeline, Task: c.Task, Attempt: c.Attempt, Force: c.Force,
			Reason: "its parent ends",
		})
	}
}

// answerIn is the entry of a decision in which an agent's answer lets a task
// begin; 0 if there is none.
func answerIn(d *engine.Decision, task int32) int64 {
	for i := range d.Entries {
		if e := &d.Entries[i]; e.Kind == engine.KindTaskDecided && e.Task == task {
			return e.Seq
		}
	}
	return 0
}

// tellParent is what the end of a child means for its parent.
func (b *batch) tellParent(w *runWork) {
	if p := w.info.parent; p != nil {
		b.wake(Wake{
			Org: w.key.Org, Kind: WakeChildEnded, Run: p.Run, Pipeline: w.info.pipeline, Task: p.Task, Attempt: p.Attempt, Child: w.key.Run,
		})
	}
}
