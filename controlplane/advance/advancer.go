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

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Advancer is a replica's group commit. Its methods may be called from any
// goroutine; one loop serves them all.
type Advancer struct {
	db       *pg.DB
	pool     *pgxpool.Pool
	log      *slog.Logger
	name     string // of this replica, so that it does not hear itself
	peers    func() int
	versions *versions
	runs     *runs
	sessions sessions
	park     *park
	seen     *seenClasses

	queue    chan *request
	stopping chan struct{} // closed when Stop begins
	stopped  chan struct{} // closed when the loop has ended
	stop     context.CancelFunc
	running  sync.WaitGroup

	// Lease ids of this replica's block; only the loop takes them.
	leaseNext, leaseEnd int64
}

// Limits of a batch. Commands beyond it wait for the next one.
const (
	maxBatch     = 500
	queueLength  = 10_000
	leaseBlock   = 1000
	lockTimeout  = "1s"
	answerWithin = 30 * time.Second
)

// New makes an Advancer; Start sets it going. peers says how many other
// replicas there are; nil means that it is not known.
func New(db *pg.DB, log *slog.Logger, peers func() int) *Advancer {
	return &Advancer{
		db: db, pool: db.Engine, log: log.With(slog.String("component", "advance")),
		name: id.New().String(), peers: peers,
		versions: newVersions(db.Engine), runs: newRuns(), sessions: sessions{known: map[id.UUID]*session{}},
		park: newPark(), seen: newSeenClasses(),
		queue: make(chan *request, queueLength), stopping: make(chan struct{}), stopped: make(chan struct{}),
	}
}

// Start runs the loop, the listener and the look of each second until Stop.
func (a *Advancer) Start(ctx context.Context) error {
	ctx, a.stop = context.WithCancel(context.WithoutCancel(ctx))
	conn, err := a.connect(ctx)
	if err != nil {
		return err
	}
	for _, f := range []func(){
		func() { a.loop(ctx, conn) },
		func() { a.listen(ctx) },
		func() { a.lookAround(ctx) },
	} {
		a.running.Go(f)
	}
	return nil
}

// Stop answers who waits, finishes the batch under way and returns. It may be
// called twice.
func (a *Advancer) Stop() {
	select {
	case <-a.stopping:
	default:
		close(a.stopping)
		a.park.close()
	}
	if a.stop != nil {
		a.stop()
	}
	a.running.Wait()
}

// connect takes a connection for the loop alone.
func (a *Advancer) connect(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := a.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect the group commit: %w", err)
	}
	if _, err := conn.Exec(ctx, "SET lock_timeout = '"+lockTimeout+"'"); err != nil {
		conn.Release()
		return nil, fmt.Errorf("set the lock timeout: %w", err)
	}
	return conn, nil
}

func errUnavailable(cause error) error {
	return fault.Unavailable(reasonUnavailable, "the request was not recorded, or is not known to be; send it again").Because(cause)
}

// loop makes a batch of whatever waits, as often as there is something. The
// time that a batch takes to commit is the time in which the next one gathers:
// no timer is needed.
func (a *Advancer) loop(ctx context.Context, conn *pgxpool.Conn) {
	defer func() {
		conn.Release()
		close(a.stopped)
		a.refuseWaiting()
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-a.queue:
			reqs := a.gather(first)
			// A batch under way is finished: its context does not end with the loop.
			work, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
			a.process(work, conn.Conn(), reqs)
			cancel()
			if conn.Conn().IsClosed() {
				conn = a.reconnect(ctx, conn)
			}
		}
	}
}

func (a *Advancer) gather(first *request) []*request {
	reqs := append(make([]*request, 0, 16), first)
	for len(reqs) < maxBatch {
		select {
		case r := <-a.queue:
			reqs = append(reqs, r)
		default:
			return reqs
		}
	}
	return reqs
}

func (a *Advancer) reconnect(ctx context.Context, old *pgxpool.Conn) *pgxpool.Conn {
	old.Release()
	for {
		conn, err := a.connect(ctx)
		if err == nil {
			return conn
		}
		a.log.LogAttrs(ctx, slog.LevelError, "the database is out of reach", slog.Any("error", err))
		select {
		case <-ctx.Done():
			// The loop ends at its next turn; it needs something to release.
			conn, err := a.pool.Acquire(context.WithoutCancel(ctx))
			if err == nil {
				return conn
			}
			return old
		case <-time.After(200 * time.Millisecond):
		}
		a.refuseWaiting()
	}
}

// refuseWaiting answers the queue while the database is away, or when the loop
// has ended: callers repeat.
func (a *Advancer) refuseWaiting() {
	for range len(a.queue) {
		select {
		case r := <-a.queue:
			r.answer(nil, errUnavailable(errors.New("nobody commits")))
		default:
			return
		}
	}
}

func (a *Advancer) enqueue(r *request) bool {
	select {
	case a.queue <- r:
		return true
	default:
		return false
	}
}

// do queues a request and waits for its answer. A full queue is refused at
// once: back-pressure instead of growth.
func (a *Advancer) do(ctx context.Context, r *request) (any, error) {
	r.done = make(chan result, 1)
	if !a.enqueue(r) {
		return nil, errUnavailable(errors.New("queue full"))
	}
	return a.await(ctx, r)
}

// await waits for an answer. What was queued after the loop had ended is never
// answered.
func (a *Advancer) await(ctx context.Context, r *request) (any, error) {
	select {
	case out := <-r.done:
		return out.value, out.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-a.stopped:
		select {
		case out := <-r.done:
			return out.value, out.err
		default:
			return nil, errUnavailable(errors.New("stopped"))
		}
	}
}

// process runs requests as one batch; if the database refuses it, in halves,
// until the guilty one stands alone.
func (a *Advancer) process(ctx context.Context, conn *pgx.Conn, reqs []*request) {
	if len(reqs) == 0 {
		return
	}
	b, err := a.attempt(ctx, conn, reqs)
	if err == nil {
		a.settle(ctx, b)
		return
	}
	b.abandon()
	unknown := conn.IsClosed()
	if !unknown {
		if _, rerr := conn.Exec(ctx, "ROLLBACK"); rerr != nil {
			_ = conn.Close(ctx)
			unknown = true
		}
	}
	switch {
	case unknown:
		a.log.LogAttrs(ctx, slog.LevelError, "a batch was lost with its connection", slog.Int("requests", len(reqs)), slog.Any("error", err))
		for _, r := range reqs {
			r.answer(nil, errUnavailable(err))
		}
	case len(reqs) == 1:
		level := slog.LevelError
		if pg.Retryable(err) {
			level, err = slog.LevelInfo, errUnavailable(err)
		}
		a.log.LogAttrs(ctx, level, "a command failed", slog.String("command", fmt.Sprintf("%T", reqs[0].cmd)), slog.Any("error", err))
		reqs[0].answer(nil, err)
	default:
		half := len(reqs) / 2
		a.process(ctx, conn, reqs[:half])
		if conn.IsClosed() {
			for _, r := range reqs[half:] {
				r.answer(nil, errUnavailable(err))
			}
			return
		}
		a.process(ctx, conn, reqs[half:])
	}
}

// attempt is one try at a batch: trip one, the rules, trip two.
func (a *Advancer) attempt(ctx context.Context, conn *pgx.Conn, reqs []*request) (*batch, error) {
	b := newBatch(a, reqs)
	b.gatherTakers()
	if err := b.lock(ctx, conn); err != nil {
		return b, err
	}
	if err := b.freshen(ctx, conn); err != nil {
		return b, err
	}
	b.heartbeats()
	b.decide()
	if err := b.handOver(ctx); err != nil {
		return b, err
	}
	return b, b.write(ctx, conn)
}

// freshen makes the cached states equal to the locked rows.
func (b *batch) freshen(ctx context.Context, conn *pgx.Conn) error {
	for key, w := range b.runs {
		if w.isNew || w.seq == 0 {
			w.run = ifNew(w)
			continue
		}
		if w.run == nil {
			loaded, err := b.a.loadRun(ctx, key)
			if err != nil {
				return err
			}
			w.run = b.a.runs.put(loaded)
		}
		if w.state.Seq > w.seq {
			// Never so, unless a commit that failed was not noticed: fold again.
			b.a.runs.drop(key)
			w.state.Seq = -1
			return fmt.Errorf("run %s: the cache is ahead of the database", id.Format(id.Run, key.Run))
		}
		if w.state.Seq < w.seq {
			if err := b.a.catchUp(ctx, conn, w.run); err != nil {
				b.a.runs.drop(key)
				return err
			}
		}
	}
	return nil
}

// ifNew keeps nothing for a run whose row was not there.
func ifNew(*runWork) *run { return nil }

// abandon gives back what a failed batch had taken, and forgets the states that
// its rules have advanced.
func (b *batch) abandon() {
	for _, w := range b.borrowed {
		b.a.park.restore(w, false)
	}
	for key := range b.runs {
		b.a.runs.drop(key)
	}
}

func (a *Advancer) nextLease(ctx context.Context) (int64, error) {
	if a.leaseNext == a.leaseEnd {
		var first int64
		if err := a.pool.QueryRow(ctx, sqlLeaseIDs).Scan(&first); err != nil {
			return 0, fmt.Errorf("take lease ids: %w", err)
		}
		a.leaseNext, a.leaseEnd = first, first+leaseBlock
	}
	n := a.leaseNext
	a.leaseNext++
	return n, nil
}
