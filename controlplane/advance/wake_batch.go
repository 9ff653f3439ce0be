package advance

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// wakeRow is a wake that this batch writes.
type wakeRow struct {
	Wake

	at time.Time // when whoever ticks may serve it
}

// wake asks something of another run, or of this one later.
func (b *batch) wake(w Wake) { b.wakeAt(w, b.now.Add(wakeGrace)) }

func (b *batch) wakeAt(w Wake, at time.Time) {
	w.ID = id.New()
	b.wakes = append(b.wakes, wakeRow{Wake: w, at: at})
}

// A wake is written and deleted under the lock of what it changes.
const sqlReadWakes = `
	SELECT w.org_id, w.id
	FROM unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
	CROSS JOIN LATERAL (
		SELECT x.org_id, x.id
		FROM wake x
		WHERE x.org_id = k.org_id
			AND x.id BETWEEN k.id AND k.id
		ORDER BY x.id
	) w`

// queueWakes looks which of the batch's wakes are still there. All that they
// change is locked.
func (b *batch) queueWakes(q *pgx.Batch) {
	var wakes pairs
	for _, r := range b.reqs {
		if w, ok := r.cmd.(Wake); ok {
			wakes.add(w.Org, w.ID)
		}
	}
	if len(wakes) == 0 {
		return
	}
	orgs, ids := wakes.columns()
	q.Queue(sqlReadWakes, args{"orgs": orgs, "ids": ids}).Query(func(rows pgx.Rows) error {
		var k [2]id.UUID
		_, err := pgx.ForEachRow(rows, []any{&k[0], &k[1]}, func() error {
			b.there[k] = true
			return nil
		})
		return err
	})
}

// takeWake reports whether a wake is still to be served, once.
func (b *batch) takeWake(w Wake) bool {
	k := [2]id.UUID{w.Org, w.ID}
	if !b.there[k] {
		return false
	}
	b.there[k] = false
	return true
}

// applyWake serves a wake about one run. What the rules refuse is none of its
// business any more.
func (b *batch) applyWake(w *runWork, r *request, c Wake) error {
	if !b.takeWake(c) {
		return nil
	}
	var err error
	switch c.Kind {
	case WakeArrive:
		err = b.arrive(w, systemActor)
	case WakeAdmit:
		err = b.begin(w, systemActor)
	case WakeDrop:
		err = b.decideAs(w, engine.Drop{Now: b.now, Reason: c.Reason}, nil)
	case WakeCancel:
		err = b.decideAs(w, engine.Cancel{Now: b.now, Actor: systemActor, Reason: c.Reason, Force: c.Force, Live: b.live(w)}, nil)
	case WakeChild:
		err = b.applyChild(w, r, c)
	case WakeChildEnded:
		err = b.applyChildEnded(w, r, c)
	case WakeRelease, WakeResume, WakeRecall:
		err = fmt.Errorf("wake kind %q changes no run", c.Kind)
	}
	if isRefusal(err) {
		return nil
	}
	return err
}

const systemActor = "system"

const sqlInsertWakes = `
	WITH n AS (
	INSERT INTO wake (org_id, id, at, kind, run_id, pipeline_id, key, task, attempt, child_id, answer, force, reason)
	SELECT org_id, id, at, kind, run_id, pipeline_id, key, task, attempt, child_id, answer, force, reason
	FROM unnest(@orgs::uuid[], @ids::uuid[], @ats::timestamptz[], @kinds::text[], @runs::uuid[], @pipelines::uuid[], @keys::text[],
		@tasks::int[], @attempts::int[], @children::uuid[], @answers::bigint[], @forces::boolean[], @reasons::text[])
		AS u (org_id, id, at, kind, run_id, pipeline_id, key, task, attempt, child_id, answer, force, reason)
		RETURNING 1
	)` + expectRows

const sqlDeleteWakes = `
	WITH n AS (
	DELETE FROM wake w
	USING unnest(@orgs::uuid[], @ids::uuid[]) AS k (org_id, id)
	CROSS JOIN LATERAL (
		SELECT x.ctid AS at
		FROM wake x
		WHERE x.org_id = k.org_id
			AND x.id BETWEEN k.id AND k.id
		ORDER BY x.id
	) x
	WHERE w.ctid = x.at
		RETURNING 1
	)` + expectRows

// writeWakes writes what this batch asks for, and deletes what it has served.
func (b *batch) writeWakes(q *writer) {
	var served pairs
	for _, r := range b.reqs {
		w, ok := r.cmd.(Wake)
		if there, read := b.there[[2]id.UUID{w.Org, w.ID}]; ok && read && !there && r.err == nil {
			served.add(w.Org, w.ID)
		}
	}
	if len(served) > 0 {
		orgs, ids := served.columns()
		q.exactly(len(ids), "delete wakes", sqlDeleteWakes, args{"orgs": orgs, "ids": ids})
	}
	if len(b.wakes) == 0 {
		return
	}
	var orgs, ids, pipelines []id.UUID
	var runs, children []*id.UUID
	var ats []time.Time
	var kinds, keys, reasons []string
	var tasks, attempts []int32
	var answers []int64
	var forces []bool
	for i := range b.wakes {
		w := &b.wakes[i]
		orgs, ids, pipelines = append(orgs, w.Org), append(ids, w.ID), append(pipelines, w.Pipeline)
		runs, children, ats = append(runs, nullID(w.Run)), append(children, nullID(w.Child)), append(ats, w.at)
		kinds, keys, reasons = append(kinds, string(w.Kind)), append(keys, w.Key), append(reasons, w.Reason)
		tasks, attempts, answers, forces = append(tasks, w.Task), append(attempts, w.Attempt), append(answers, w.Answer), append(forces, w.Force)
	}
	q.exactly(len(ids), "insert wakes", sqlInsertWakes, args{
		"orgs": orgs, "ids": ids, "ats": ats, "kinds": kinds, "runs": runs, "pipelines": pipelines, "keys": keys,
		"tasks": tasks, "attempts": attempts, "children": children, "answers": answers, "forces": forces, "reasons": reasons,
	})
}
