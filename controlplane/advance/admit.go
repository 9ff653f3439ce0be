package advance

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

// What a run passes before it begins: its time, its line, its pipeline. It waits
// at the first of them that is not open.

// come brings a new run to its time.
func (b *batch) come(w *runWork, at time.Time, actor string) error {
	if !at.After(b.now) {
		return b.arrive(w, actor)
	}
	if err := b.decideAs(w, engine.Queue{Now: b.now, Actor: actor, Reason: engine.HoldStartAt}, nil); err != nil {
		return err
	}
	b.wakeAt(Wake{Org: w.key.Org, Kind: WakeArrive, Run: w.key.Run, Pipeline: w.info.pipeline}, at)
	return nil
}

// arrive brings a run to its line.
func (b *batch) arrive(w *runWork, actor string) error {
	k, lined := w.lineKey()
	if w.state.Run != engine.RunPending {
		return nil
	}
	if !lined {
		return b.begin(w, actor)
	}
	l, c, err := b.lineOf(w)
	if err != nil {
		return err
	}
	if l.Full() {
		return fault.ResourceExhausted("QUEUE_FULL", "%d runs wait in this line of the pipeline already; start it again when some have ended", l.Length())
	}
	verdict, gone := l.Arrive(w.key.Run, c.Limit, c.Policy)
	for _, g := range gone {
		kind := WakeCancel
		if g.Drop {
			kind = WakeDrop
		}
		b.wake(Wake{Org: k.org, Kind: kind, Run: g.Run, Pipeline: k.pipeline, Reason: "superseded by run " + id.Format(id.Run, w.key.Run)})
	}
	switch verdict {
	case engine.ArrivalHeld:
		return b.begin(w, actor)
	case engine.ArrivalDropped:
		return b.decideAs(w, engine.Drop{Now: b.now, Reason: "dropped: other runs of the pipeline go on with the same concurrency key"}, nil)
	case engine.ArrivalWaits:
	}
	if len(l.Held) < c.Limit {
		b.wakeFill(k) // a place is free: a newer version has more of them
	}
	reason := engine.HoldConcurrency
	if l.Blocker() != id.Nil {
		reason = engine.HoldBlocked
	}
	return b.decideAs(w, engine.Queue{Now: b.now, Actor: actor, Reason: reason}, nil)
}

// begin lets a run begin whose turn has come, unless its pipeline is paused.
func (b *batch) begin(w *runWork, actor string) error {
	if w.state.Run != engine.RunPending {
		return nil
	}
	if p := b.counts[pipelineKey{w.key.Org, w.info.pipeline}]; p != nil && p.paused {
		b.paused = append(b.paused, w)
		return b.decideAs(w, engine.Queue{Now: b.now, Actor: actor, Reason: engine.HoldPaused}, nil)
	}
	if w.state.Reason == engine.HoldPaused {
		b.unpaused = append(b.unpaused, w.key)
	}
	return b.decideAs(w, engine.Start{Now: b.now, Actor: actor}, nil)
}

// queuePaused reads which runs wait for a pipeline that goes on.
func (b *batch) queuePaused(q *pgx.Batch) {
	for _, r := range b.reqs {
		w, ok := r.cmd.(Wake)
		if !ok || w.Kind != WakeResume {
			continue
		}
		q.Queue(sqlReadPaused, args{"org": w.Org, "pipeline": w.Pipeline, "after": w.Run, "n": fillAtOnce}).Query(func(rows pgx.Rows) error {
			runs, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
			b.resumed[w.ID] = runs
			return err
		})
	}
}

// resume wakes the runs that waited for their pipeline, a page at a time.
func (b *batch) resume(c Wake) {
	runs := b.resumed[c.ID]
	for _, run := range runs {
		b.wake(Wake{Org: c.Org, Kind: WakeAdmit, Run: run, Pipeline: c.Pipeline})
	}
	if len(runs) == fillAtOnce {
		b.wake(Wake{Org: c.Org, Kind: WakeResume, Run: runs[len(runs)-1], Pipeline: c.Pipeline})
	}
}
