// Package doctor recounts what the database says twice, and tells where the two
// differ.
//
// The journal is the truth; everything else is derived from it: the rows of
// runs, what is queued, leased and timed, the usage that is billed. So doctor
// derives all of it once more, with the same pure functions (engine.Fold,
// engine.Pending, usage.Sum), and compares. It also looks for what foreign keys
// would have kept out of the hot tables, which have none, lints the schema, and
// verifies the audit chains. No counter without the rows that explain it.
//
// It reads one snapshot, so a server may be at work meanwhile, and it may be run
// at any time; a long run of it only keeps dead rows from being vacuumed. It
// holds one run's journal at a time, and one organization's sums of usage. Check
// changes nothing: what to do about a difference is for a person to decide. What
// follows from the journal alone, and decides nothing by itself, Repair writes
// anew: the queue and the timers of runs.
package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/replay"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Kind is what a difference is about.
type Kind string

// The kinds of differences.
const (
	KindSchema   Kind = "schema"   // a finding of the schema lint
	KindJournal  Kind = "journal"  // a journal that cannot be folded, or bills what it should not
	KindDigest   Kind = "digest"   // a state is not what it was when its digest was noted
	KindRun      Kind = "run"      // a run's row is not what its journal folds to
	KindDispatch Kind = "dispatch" // an open task does not stand in ready, lease or timer as it should
	KindLease    Kind = "lease"    // a lease is not its session's
	KindUsage    Kind = "usage"    // a sum of usage is not that of the journal
	KindNumber   Kind = "number"   // a pipeline's next run would get the wrong number
	KindSchedule Kind = "schedule" // a fire without its run, or the other way round
	KindOrphan   Kind = "orphan"   // a row refers to what is not there
	KindAudit    Kind = "audit"    // an audit chain is broken
	KindLine     Kind = "line"     // a run waits, or goes on, other than its line says
	KindWake     Kind = "wake"     // what a run asked of another was not done
)

// Kinds lists the kinds of differences.
func Kinds() []Kind {
	return []Kind{
		KindSchema, KindJournal, KindDigest, KindRun, KindDispatch, KindLease, KindUsage, KindNumber, KindSchedule, KindOrphan, KindAudit,
		KindLine, KindWake,
	}
}

// Difference is one thing that is not as it should be.
type Difference struct {
	Kind Kind
	Org  id.UUID // Nil where it is no organization's
	Text string  // one sentence, with both numbers
}

// String is the difference as one line.
func (d Difference) String() string {
	if d.Org == id.Nil {
		return fmt.Sprintf("%s: %s", d.Kind, d.Text)
	}
	return fmt.Sprintf("%s, %s: %s", d.Kind, id.Format(id.Org, d.Org), d.Text)
}

// maxListed is how many differences of a kind are told one by one: whatever is
// wrong everywhere must not fill the memory.
const maxListed = 1000

// findings gathers differences.
type findings struct {
	list  []Difference
	count map[Kind]int
}

func (f *findings) add(kind Kind, org id.UUID, format string, args ...any) {
	if f.count[kind]++; f.count[kind] <= maxListed {
		f.list = append(f.list, Difference{kind, org, fmt.Sprintf(format, args...)})
	}
}

// all ends with what was not listed.
func (f *findings) all() []Difference {
	for _, kind := range Kinds() {
		if more := f.count[kind] - maxListed; more > 0 {
			f.list = append(f.list, Difference{Kind: kind, Text: fmt.Sprintf("%d more differences of this kind are not listed.", more)})
		}
	}
	return f.list
}

// checker is one examination. All its methods read the same snapshot.
type checker struct {
	findings

	now time.Time
	// misplaced are runs whose tasks do not stand where they should.
	misplaced []Run
	versions  replay.Versions
}

func newChecker() *checker {
	return &checker{findings: findings{count: map[Kind]int{}}, versions: replay.Versions{}}
}

const sqlClock = `
	SELECT clock_timestamp()`

// Check examines the whole database, which must be migrated. An error means that
// it could not be read, not that something is wrong with it.
func Check(ctx context.Context, db *pg.DB) ([]Difference, error) {
	c, err := check(ctx, db)
	if err != nil {
		return nil, err
	}
	return c.all(), nil
}

func check(ctx context.Context, db *pg.DB) (*checker, error) {
	c := newChecker()
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, db.Engine, snapshot, func(tx pgx.Tx) error { return c.examine(ctx, tx) })
	if err != nil {
		return nil, fmt.Errorf("examine the database: %w", err)
	}
	return c, nil
}

func (c *checker) examine(ctx context.Context, tx pgx.Tx) error {
	if err := tx.QueryRow(ctx, sqlClock).Scan(&c.now); err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	for _, check := range []func(context.Context, pgx.Tx) error{
		c.schema, c.organizations, c.leases, c.holds, c.numbers, c.schedules, c.orphans, c.lines,
	} {
		if err := check(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}
