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
	// State is the fold; nil where the journal cannot be folded, or is archived.
	State       *engine.State
	Differences []Difference
	// Archived says that the journal lies in the archive alone, which is no
	// difference.
	Archived bool
}

func (r *Run) add(kind Kind, format string, args ...any) {
	r.Differences = append(r.Differences, Difference{kind, fmt.Sprintf(format, args...)})
}

// Facts are all that is stored of a run.
type Facts struct {
	Org     id.UUID
	Row     *Row
	Entries []journal.Row
	// Noted are the digests to compare on the way. Replay fills in what they are
	// today.
	Noted []Noted
	// CountedTo is the entry up to which what was used is counted elsewhere.
	CountedTo int64
	Where     *Places
	// Now is the moment of the reading.
	Now time.Time
}

// Replay folds a run's journal from nothing and compares at every entry what the
// journal says beside it, and at the end the run's row and the places of its
// tasks. What the attempts used is added to used, unless that is nil.
func Replay(v *Version, f Facts, used Tally) Run {
	var out Run
	row, g, state := f.Row, v.Graph, engine.NewState(f.Row.ID)
	if len(f.Entries) == 0 {
		if out.Archived = archived(f.Noted, row.Seq); !out.Archived {
			out.add(KindJournal, "%s has seq %d, but no journal.", row, row.Seq)
		}
		return out
	}
	meter := meter{facts: &f, version: v, used: used}
	for i := range f.Entries {
		e := &f.Entries[i]
		out.billed(row, taskOf(g, state, e.Task), e)
		meter.count(state, e)
		if err := engine.Fold(g, state, e.Entry); err != nil {
			out.add(KindJournal, "the journal of %s cannot be folded: %v.", row, err)
			for k := i + 1; k < len(f.Entries); k++ {
				meter.count(state, &f.Entries[k]) // what was used was used all the same
			}
			return out
		}
		out.beside(row, state, e)
		out.noted(row, state, f.Noted)
	}
	out.State = state
	if diff := row.compare(Shown(g, state)); len(diff) > 0 {
		out.add(KindRun, "the row of %s is not what its journal folds to: %s.", row, strings.Join(diff, ", "))
	}
	out.dispatch(row, g, state, f.Where, f.Now)
	return out
}

// beside compares what an entry's row says beside the entry with the state that
// it led to.
func (r *Run) beside(row *Row, s *engine.State, e *journal.Row) {
	if e.Generation != s.Generation {
		r.add(KindJournal, "entry %d of %s is of generation %d, but the run was in generation %d.", e.Seq, row, e.Generation, s.Generation)
	}
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
