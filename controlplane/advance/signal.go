package advance

import (
	"cmp"
	"context"

	"github.com/signalboxhq/signalbox/controlplane/engine"
)

// SignalRun sends a run a signal; see engine.Signal.
type SignalRun struct {
	RunKey

	Actor string
	Name  string
	Key   string
	// Body is what the task that takes it leaves: the payload as its output.
	Body []byte
}

// SignalRun sends a signal. Errors: NotFound, SIGNAL_UNKNOWN, SIGNAL_LIMIT,
// RUN_TERMINAL.
func (a *Advancer) SignalRun(ctx context.Context, c SignalRun) error { return a.act(ctx, c.RunKey, c) }

func (b *batch) applySignal(w *runWork, c SignalRun) error {
	return b.decideAs(w, engine.Signal{
		Now: b.now, Actor: clean(c.Actor), Name: clean(c.Name), Key: clean(c.Key), Live: b.liveIfStops(w),
	}, c.Body)
}

// liveIfStops lists the run's leases for a command that tells others to stop
// only if the plan says so.
func (b *batch) liveIfStops(w *runWork) []engine.Lease {
	if !w.version.graph.StopsOnFailure() {
		return nil
	}
	return b.live(w)
}

// bodyOf gives an entry the body of the signal that its task took, or of the
// member by whom its gang ends: out of this batch, or else by the number of the
// entry that has it.
func (w *runWork) bodyOf(e *entryRow) {
	if e.Detail == nil || e.Detail.From == 0 && e.Detail.Member == 0 {
		return
	}
	from := cmp.Or(e.Detail.From, e.Detail.Member)
	for i := range w.entries {
		if w.entries[i].Seq == from {
			e.body = w.entries[i].body
			return
		}
	}
	e.from = from
}

const sqlAppendTaken = `
	WITH n AS (
	INSERT INTO journal (` + entryColumns + `)
	SELECT ` + ownColumns + `, s.body
	FROM ` + entryArrays + `
	CROSS JOIN LATERAL (
		SELECT x.body
		FROM journal x
		WHERE x.org_id = e.org_id
			AND x.run_id = e.run_id
			AND x.seq = (@froms::bigint[])[e.n]
		OFFSET 0
	) s
		RETURNING 1
	)` + expectRows

// takenColumns are entries whose body is another entry's.
type takenColumns struct {
	entryColumnsOf

	froms []int64
}

func (c *takenColumns) add(k RunKey, e *entryRow) {
	c.entryColumnsOf.add(k, e)
	c.froms = append(c.froms, e.from)
}

func (b *batch) writeTaken(q *writer, taken *takenColumns) {
	if n := len(taken.orgs); n > 0 {
		named := taken.args()
		named["froms"] = taken.froms
		q.exactly(n, "append what takes a body over", sqlAppendTaken, named)
	}
}
