// Package firing turns schedules that are due into runs: exactly one for each
// nominal time that a schedule's catch-up and overlap let through, whatever the
// number of replicas and wherever one of them dies.
//
// When a schedule fires is controlplane/schedule's; the ticker that asks, one
// replica at a time, is controlplane/timer's. A fire takes three steps:
//
//  1. One transaction, under the lock of the schedule's row, writes the fires
//     that are due (waiting), moves the cursor behind them, and decides which of
//     those that wait start (starting) or never will (dropped). So no nominal
//     time is written twice or left out, and a decision is made once.
//  2. The run of each fire that is starting is started, through the command that
//     everybody starts runs with; its idempotency key is the fire's name. The
//     transaction that starts it notes it (started). A crash before that leaves
//     the fire starting: the next look, of any replica, starts it again.
//  3. Where the key says that there is a run already, it is noted once more.
//
// A start that is refused for good, since no version is deployed or the params
// do not fit the deployed one any more, is recorded as that (refused): the
// schedule goes on, and what was missed can be seen. Should a start of the same
// fire be under way that a ticker did not live to see end, it counts.
package firing

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Starter starts the run of a fire; twice the same fire, it is the same run.
type Starter interface {
	StartScheduled(ctx context.Context, s rundb.Scheduled) (id.UUID, error)
}

// Canceler cancels a run that a newer one displaces.
type Canceler interface {
	CancelRun(ctx context.Context, c advance.CancelRun) error
}

// Firing serves the schedules that are due.
type Firing struct {
	pool     *pgxpool.Pool
	starter  Starter
	canceler Canceler
	log      *slog.Logger
}

// The limits of one look.
const (
	maxSchedules = 500
	parallel     = 8
	// maxWaiting bounds the fires that are written and not yet decided; what is
	// beyond it stays behind the cursor.
	maxWaiting = 1000
	// maxStarts bounds how long one schedule keeps the others waiting.
	maxStarts = 50
)

// New makes a Firing on the engine's pool.
func New(pool *pgxpool.Pool, starter Starter, canceler Canceler, log *slog.Logger) *Firing {
	return &Firing{pool: pool, starter: starter, canceler: canceler, log: log.With(slog.String("component", "schedules"))}
}

// key names a schedule.
type key struct{ org, schedule id.UUID }

const sqlDueSchedules = `
	SELECT s.org_id, s.id
	FROM schedule s
	WHERE s.next_at <= clock_timestamp()
	ORDER BY s.next_at, s.org_id, s.id
	LIMIT @limit`

// Look serves every schedule that is due, once.
func (f *Firing) Look(ctx context.Context) error {
	rows, _ := f.pool.Query(ctx, sqlDueSchedules, pgx.StrictNamedArgs{"limit": maxSchedules})
	var k key
	var due []key
	_, err := pgx.ForEachRow(rows, []any{&k.org, &k.schedule}, func() error {
		due = append(due, k)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the schedules that are due: %w", err)
	}
	var looks errgroup.Group
	looks.SetLimit(parallel)
	for _, k := range due {
		looks.Go(func() error {
			if err := f.serve(ctx, k); err != nil && ctx.Err() == nil {
				f.rest(ctx, k, err)
			}
			return nil
		})
	}
	return looks.Wait()
}

const sqlRestSchedule = `
	UPDATE schedule
	SET next_at = greatest(next_at, clock_timestamp() + @rest::interval)
	WHERE org_id = @org_id
		AND id = @id
		AND next_at IS NOT NULL`

// rest puts a schedule off that could not be served, so that it does not keep
// the others waiting.
func (f *Firing) rest(ctx context.Context, k key, cause error) {
	const after = 5 * time.Second
	f.log.LogAttrs(ctx, slog.LevelWarn, "a schedule could not be served; it will be tried again",
		slog.String("org_id", k.org.String()), slog.String("schedule_id", k.schedule.String()), slog.Any("error", cause))
	_, err := f.pool.Exec(ctx, sqlRestSchedule, pgx.StrictNamedArgs{"org_id": k.org, "id": k.schedule, "rest": after})
	if err != nil {
		f.log.LogAttrs(ctx, slog.LevelWarn, "a schedule could not be put off", slog.Any("error", err))
	}
}

// serve takes the three steps with one schedule.
func (f *Firing) serve(ctx context.Context, k key) error {
	found, err := f.decide(ctx, k)
	if err != nil || found == nil {
		return err
	}
	for _, run := range found.cancel {
		err := f.canceler.CancelRun(ctx, advance.CancelRun{
			RunKey: advance.RunKey{Org: k.org, Run: run}, Actor: id.Format(id.Schedule, k.schedule), Reason: "a newer run of its schedule takes its place",
		})
		if err != nil {
			f.log.LogAttrs(ctx, slog.LevelInfo, "a run could not be canceled for its successor; it will be tried again", slog.Any("error", err))
		}
	}
	if found.starting == 0 {
		return nil
	}
	return f.start(ctx, k)
}
