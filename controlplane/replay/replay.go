// Package replay folds the journals of runs again and compares what follows
// from them with what the tables say: the run's row, and where its open tasks
// stand in ready, lease and timer.
//
// It reads, with whatever role its caller has, and changes nothing. What to do
// about a difference is not its business: `signalbox run replay` shows those of
// one run, controlplane/doctor gathers those of all, controlplane/archive
// refuses to let go of a run that has any.
package replay

import (
	"fmt"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Kind is what a difference is about.
type Kind string

// The kinds of differences.
const (
	KindJournal  Kind = "journal"  // the journal cannot be folded, or bills what it should not
	KindRun      Kind = "run"      // the run's row is not what its journal folds to
	KindDispatch Kind = "dispatch" // an open task does not stand in ready, lease or timer as it should
	KindDigest   Kind = "digest"   // the state is not what it was when its digest was noted
)

// Difference is one thing that is not as the journal says: one sentence.
type Difference struct {
	Kind Kind
	Text string
}

// Run is the outcome of a replay.
type Run struct {
	// State is the fold; nil where the journal cannot be folded.
	State       *engine.State
	Differences []Difference
}

func (r *Run) add(kind Kind, format string, args ...any) {
	r.Differences = append(r.Differences, Difference{kind, fmt.Sprintf(format, args...)})
}

// Replay folds a run's journal from nothing and compares at every entry what the
// journal says beside it, and at the end the run's row and the places of its
// tasks. At the seqs that were noted it compares the state's digest, and fills in
// what it is today. now is the moment of the reading.
func Replay(row *Row, g *engine.Graph, entries []journal.Row, noted []Noted, where *Places, now time.Time) Run {
	var out Run
	state := engine.NewState(row.ID)
	for i := range entries {
		e := &entries[i]
		if billed := Billed(e); e.BilledMS != billed {
			out.add(KindJournal, "entry %d of %s bills %d ms, but its attempt took %d ms.", e.Seq, row, e.BilledMS, billed)
		}
		if err := engine.Fold(g, state, e.Entry); err != nil {
			out.add(KindJournal, "the journal of %s cannot be folded: %v.", row, err)
			return out
		}
		out.beside(row, state, e)
		out.noted(row, state, noted)
	}
	if len(entries) == 0 {
		out.add(KindJournal, "%s has seq %d, but no journal.", row, row.Seq)
		return out
	}
	out.State = state
	if diff := row.compare(Shown(g, state)); len(diff) > 0 {
		out.add(KindRun, "the row of %s is not what its journal folds to: %s.", row, strings.Join(diff, ", "))
	}
	out.dispatch(row, g, state, where, now)
	return out
}

// beside compares what an entry's row says beside the entry with the state that
// it led to.
func (r *Run) beside(row *Row, s *engine.State, e *journal.Row) {
	if e.Generation != s.Generation {
		r.add(KindJournal, "entry %d of %s is of generation %d, but the run was in generation %d.", e.Seq, row, e.Generation, s.Generation)
	}
}

// Billed is what the end of an attempt is billed for, in milliseconds.
func Billed(e *journal.Row) int64 {
	if e.Kind != engine.KindAttemptEnded {
		return 0
	}
	return usage.Attempt{
		Started: e.Started, Finished: e.Finished, Recorded: e.At, Billable: usage.Billable(e.Outcome.String(), !e.Started.IsZero()),
	}.DurationMS()
}

// name is a task as people call it; what is no task of the run goes by its
// number.
func name(g *engine.Graph, s *engine.State, task int32) string {
	if task >= 0 && int(task) < len(s.Tasks) {
		return g.Path(s, task)
	}
	return fmt.Sprintf("#%d", task)
}

// String is the run's id.
func (r *Row) String() string { return id.Format(id.Run, r.ID) }
