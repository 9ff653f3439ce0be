package advance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Advancer is a replica's group commit. Its methods may be called from any
// goroutine; one loop serves them all.
type Advancer struct {
	db         *pg.DB
	pool       *pgxpool.Pool
	log        *slog.Logger
	name       id.UUID // of this replica, so that it does not hear itself
	gatherings gatherings
	peers      func() int
	versions   *versions
	runs       *runs
	sessions   sessions
	park       *park
	queue      *queue
	// What stands in the queues and how pools share, as far as it is known.
	directory *directory
	settings  *settings

	stop    context.CancelFunc
	running sync.WaitGroup

	// Only the loop touches these: the lease ids of this replica's block, the leases
	// that it gave, and which pools have a limit, as last seen.
	leaseNext, leaseEnd int64
	known               map[int64]*leaseRow
	limited             map[id.UUID]bool
	plans               planner
	voices              *voices
	estimates           estimates

	times runTimes

	wakes  chan Wake // what this replica's batches ask for
	nester Nester
}

const (
	leaseBlock = 1000
	// answerWithin bounds a batch, and what is read for its answers.
	answerWithin = 30 * time.Second
	// connectWithin bounds one try to reach the database again.
	connectWithin = 5 * time.Second
)

// New makes an Advancer; Start sets it going. peers says how many other
// replicas there are; nil means that it is not known.
func New(db *pg.DB, log *slog.Logger, peers func() int) *Advancer {
	known := newSettings()
	return &Advancer{
		db: db, pool: db.Engine, log: log.With(slog.String("component", "advance")),
		name: id.New(), peers: peers,
		gatherings: gatherings{pools: map[id.UUID]gathering{}, said: map[id.UUID]time.Time{}},
		versions:   newVersions(db.Engine, known), runs: newRuns(), sessions: sessions{known: map[id.UUID]*session{}},
		park: newPark(), queue: newQueue(), limited: map[id.UUID]bool{}, known: map[int64]*leaseRow{},
		directory: newDirectory(), settings: known, voices: newVoices(), estimates: estimates{},
		wakes: make(chan Wake, wakesWaiting),
	}
}

// Start runs the loop, the listener and the look of each second until Stop.
func (a *Advancer) Start(ctx context.Context) error {
	conn, err := a.connect(ctx)
	if err != nil {
		return err
	}
	ears, err := a.startListening(ctx)
	if err != nil {
		a.release(ctx, conn)
		return err
	}
	ctx, a.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, f := range []func(){
		func() { a.loop(ctx, conn) },
		func() { a.listen(ctx, ears) },
		func() { a.lookAround(ctx) },
		func() { a.serveWakes(ctx) },
	} {
		a.running.Go(f)
	}
	return nil
}

// Stop answers who waits, finishes the batch under way and returns. It may be
// called twice.
func (a *Advancer) Stop() {
	a.park.close()
	a.queue.close()
	if a.stop != nil {
		a.stop()
	}
	a.running.Wait()
}

// How the loop's connection works. A replica that stands still in the middle of
// a batch loses its locks. All statements look rows up by key: planning each
// time anew, or compiling, costs more than they do, and a plan that reads a
// whole table, or more of an index than it must, is always one that was made
// when the table was small.
const sqlPrepareLoop = `
	SELECT set_config('lock_timeout', '1s', false),
		set_config('idle_in_transaction_session_timeout', '10s', false),
		set_config('plan_cache_mode', 'force_generic_plan', false),
		set_config('cpu_index_tuple_cost', '10', false),
		set_config('enable_seqscan', 'off', false),
		set_config('enable_bitmapscan', 'off', false),
		set_config('enable_hashjoin', 'off', false),
		set_config('enable_mergejoin', 'off', false),
		set_config('enable_memoize', 'off', false),
		set_config('enable_sort', 'off', false),
		set_config('enable_incremental_sort', 'off', false),
		set_config('jit', 'off', false)`

// connect takes a connection for the loop alone.
func (a *Advancer) connect(ctx context.Context) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	conn, err := a.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect the group commit: %w", err)
	}
	if _, err := conn.Exec(ctx, sqlPrepareLoop); err != nil {
		a.release(ctx, conn)
		return nil, fmt.Errorf("prepare the group commit's connection: %w", err)
	}
	return conn, nil
}

// release closes the loop's connection: its settings must not go back to the
// pool.
func (a *Advancer) release(ctx context.Context, conn *pgxpool.Conn) {
	_ = conn.Conn().Close(context.WithoutCancel(ctx))
	conn.Release()
}

// loop makes a batch of whatever waits, as often as there is something. The
// time that a batch takes to commit is the time in which the next one gathers:
// no timer is needed.
func (a *Advancer) loop(ctx context.Context, conn *pgxpool.Conn) {
	defer func() { a.release(ctx, conn) }()
	for {
		reqs := a.queue.take(ctx)
		for len(reqs) > 0 {
			// A batch under way is finished: its context does not end with the loop.
			work, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
			reqs = a.process(work, conn.Conn(), reqs, manner{})
			cancel()
			if conn.Conn().IsClosed() {
				var fresh *pgxpool.Conn
				if fresh, reqs = a.reconnect(ctx, reqs); fresh == nil {
					return
				}
				a.release(ctx, conn)
				conn = fresh
			}
		}
		if ctx.Err() != nil {
			return
		}
	}
}

func refuse(reqs []*request, err error) {
	for _, r := range reqs {
		r.answer(nil, err)
	}
}

// reconnect tries until the database answers or ctx ends; then it returns nil.
// If that does not succeed at once, the requests that were to run again, and
// whoever asks meanwhile, are told to repeat.
func (a *Advancer) reconnect(ctx context.Context, again []*request) (*pgxpool.Conn, []*request) {
	for ctx.Err() == nil {
		conn, err := a.connect(ctx)
		if err == nil {
			return conn, again
		}
		a.log.LogAttrs(ctx, slog.LevelError, "the database is out of reach", slog.Any("error", err))
		refuse(again, errUnavailable(err))
		again = nil
		a.queue.refuse(errUnavailable(err))
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	refuse(again, errUnavailable(errors.New("stopped")))
	return nil, nil
}

// do queues a request and waits for its answer.
func (a *Advancer) do(ctx context.Context, r *request) (any, error) {
	if err := a.queue.add(r); err != nil {
		return nil, err
	}
	select {
	case out := <-r.done:
		return out.value, out.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

const sqlLeaseIDs = `
	SELECT nextval('lease_id')`

// nextLease takes a fence. It asks on the batch's own connection: whoever has
// the pool's may wait for the locks of this batch.
func (a *Advancer) nextLease(ctx context.Context, conn *pgx.Conn) (int64, error) {
	if a.leaseNext == a.leaseEnd {
		var first int64
		if err := conn.QueryRow(ctx, sqlLeaseIDs).Scan(&first); err != nil {
			return 0, fmt.Errorf("take lease ids: %w", err)
		}
		a.leaseNext, a.leaseEnd = first, first+leaseBlock
	}
	n := a.leaseNext
	a.leaseNext++
	return n, nil
}

// maxPools bounds how many pools' limits are remembered.
const maxPools = 100_000

// limit remembers whether a pool has a limit.
func (a *Advancer) limit(pool id.UUID, limited bool) {
	evict(a.limited, maxPools)
	a.limited[pool] = limited
}

// limits reports whether the pool of a session has a limit, as far as is known.
func (a *Advancer) limits(s *session) bool {
	if limited, known := a.limited[s.pool]; known {
		return limited
	}
	return s.limited
}
