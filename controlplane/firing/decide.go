package firing

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/schedule"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Locked or served a moment ago, it is somebody else's.
const sqlLockSchedule = `
	SELECT s.spec, s.paused, s.cursor, s.fired, s.deleted_at IS NOT NULL AS deleted, clock_timestamp() AS now
	FROM schedule s
	WHERE s.org_id = @org_id
		AND s.id = @id
		AND s.next_at <= clock_timestamp()
	FOR NO KEY UPDATE SKIP LOCKED`

// scheduleRow is a schedule as it is locked.
type scheduleRow struct {
	Spec    string
	Paused  bool
	Cursor  time.Time
	Fired   int64
	Deleted bool
	Now     time.Time // the only clock
}

// What is open is few: fires that wait or start, and runs that have not ended
// when the schedule was last looked at.
const sqlOpenFires = `
	SELECT f.nominal, f.state, f.run_id, coalesce(r.finished_at IS NOT NULL, false) AS ended, coalesce(r.outcome, '') AS outcome,
		coalesce(r.number, 0) AS number
	FROM schedule_fire f
	LEFT JOIN run r ON r.org_id = f.org_id AND r.id = f.run_id
	WHERE f.org_id = @org_id
		AND f.schedule_id = @id
		AND f.ended_at IS NULL
	ORDER BY f.nominal`

// openFire is a fire with something left to do.
type openFire struct {
	Nominal time.Time
	State   string
	RunID   *id.UUID
	Ended   bool
	Outcome string
	Number  int64
}

// look is one schedule under its lock.
type look struct {
	key

	row     scheduleRow
	s       *schedule.Schedule
	waiting []time.Time
	// ended are fires whose runs have ended, failure the number of one that
	// failed, 0 for none.
	ended    []time.Time
	failure  int64
	starting int
	active   []id.UUID
	cancel   []id.UUID
	pause    string // why it pauses itself
}

// decide is the first step. It returns nil where somebody else serves the
// schedule.
func (f *Firing) decide(ctx context.Context, k key) (*look, error) {
	var found *look
	err := pg.InSystem(ctx, f.pool, func(tx pgx.Tx) error {
		l, err := lock(ctx, tx, k)
		if err != nil || l == nil {
			return err
		}
		if err := l.readOpen(ctx, tx); err != nil {
			return err
		}
		if err := l.fire(ctx, tx); err != nil {
			return err
		}
		found = l
		return l.settle(ctx, tx)
	})
	return found, err
}

func lock(ctx context.Context, tx pgx.Tx, k key) (*look, error) {
	rows, _ := tx.Query(ctx, sqlLockSchedule, pgx.StrictNamedArgs{"org_id": k.org, "id": k.schedule})
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[scheduleRow])
	if pg.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock a schedule: %w", err)
	}
	var spec plan.Schedule
	if err := json.Unmarshal([]byte(row.Spec), &spec); err != nil {
		return nil, fmt.Errorf("read a schedule: %w", err)
	}
	compiled, faults := schedule.Compile(spec)
	if len(faults) > 0 {
		return nil, fmt.Errorf("compile a schedule: %s: %s", faults[0].Field, faults[0].Text)
	}
	return &look{key: k, row: row, s: compiled}, nil
}

func (l *look) readOpen(ctx context.Context, tx pgx.Tx) error {
	rows, _ := tx.Query(ctx, sqlOpenFires, pgx.StrictNamedArgs{"org_id": l.org, "id": l.schedule})
	open, err := pgx.CollectRows(rows, pgx.RowToStructByName[openFire])
	if err != nil {
		return fmt.Errorf("read the open fires of a schedule: %w", err)
	}
	for _, f := range open {
		switch {
		case f.State == stateWaiting:
			l.waiting = append(l.waiting, f.Nominal)
		case f.State == stateStarting:
			l.starting++
		case f.Ended:
			l.ended = append(l.ended, f.Nominal)
			if f.Outcome == "failed" {
				l.failure = f.Number
			}
		case f.RunID != nil:
			l.active = append(l.active, *f.RunID)
		}
	}
	return nil
}

// fire writes what is due. A paused schedule keeps what waits; a deleted one
// drops it.
func (l *look) fire(ctx context.Context, tx pgx.Tx) error {
	if l.failure > 0 && l.s.PauseOnFailure && !l.row.Paused {
		l.pause, l.row.Paused = fmt.Sprintf("run #%d failed", l.failure), true
	}
	if l.row.Paused || l.row.Deleted {
		return nil
	}
	room := maxWaiting - len(l.waiting)
	if most := l.s.MaxRuns; most > 0 {
		room = int(min(int64(room), most-l.row.Fired-int64(len(l.waiting))))
	}
	if room <= 0 {
		return nil
	}
	due, cursor := l.s.Due(l.schedule, l.row.Cursor, l.row.Now, room)
	l.row.Cursor = cursor
	if len(due) == 0 {
		return nil
	}
	starts, ends := make([]time.Time, len(due)), make([]time.Time, len(due))
	for i, nominal := range due {
		starts[i], ends[i] = l.s.Interval(nominal)
	}
	rows, err := tx.Query(ctx, sqlInsertFires, pgx.StrictNamedArgs{
		"org_id": l.org, "id": l.schedule, "nominals": due, "starts": starts, "ends": ends, "now": l.row.Now,
	})
	if err != nil {
		return fmt.Errorf("write the fires of a schedule: %w", err)
	}
	written, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return fmt.Errorf("write the fires of a schedule: %w", err)
	}
	l.waiting = append(l.waiting, written...)
	return nil
}
