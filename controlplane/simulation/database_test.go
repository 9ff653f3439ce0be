package simulation_test

import (
	"errors"
	"time"

	"github.com/signalboxhq/signalbox/billing/usage"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// database is PostgreSQL as far as the group commit uses it: rows, row locks
// that wait and are skipped, transactions that end with their connection, unique
// rules and row counts that are checked when they are written.
type database struct {
	w    *world
	up   bool
	open []*conn

	locks map[lockKey]*rowLock

	pipelines []*pipelineRow
	pools     []*poolRow
	keys      map[string]keyRow
	runs      map[id.UUID]*runRow
	order     []id.UUID // of the runs that are kept
	ready     map[taskKey]readyRow
	leases    map[int64]*leaseRow
	sessions  map[id.UUID]*sessionRow
	timers    map[timerKey]timerRow
	wakes     map[id.UUID]wakeRow
	lines     map[lineKey]*lineRow
	limits    []*limitRow
	holds     map[holdKey]int32

	admissions map[id.UUID]*admissionRow

	usage     map[usage.Key]int64
	seen      time.Time // of the reaper
	nextLease int64
	ticker    *conn // who holds the advisory lock

	// What spares fibers the looks that find nothing.
	timersChanged, readyChanged, tickerGone signal
}

type (
	taskKey struct {
		run  id.UUID
		task int32
	}
	timerKey struct {
		taskKey

		kind string
	}
	pipelineRow struct {
		id       id.UUID
		graphs   [2]*engine.Graph // the versions, which differ in their concurrency
		deployed int
		paused   bool
		next     int64
	}
	poolRow struct {
		id    id.UUID
		slots int32 // 0: no limit
	}
	keyRow struct {
		run         id.UUID
		fingerprint uint64
	}
	runRow struct {
		id       id.UUID
		pipeline int
		number   int64
		key      string
		priority int32
		created  time.Time
		parent   parentOf
		version  int
		line     string // its concurrency key, if it has one
		lined    bool

		seq        int64
		state      engine.RunState
		outcome    engine.RunState
		generation int32
		failed     int32
		finished   time.Time

		journal []entryRow
	}
	entryRow struct {
		engine.Entry

		generation int32
		first      bool
		billed     int64
	}
	readyRow struct {
		attempt  int32
		asking   bool
		pool     int
		class    int64
		priority int32
		since    time.Time
		avoid    engine.Avoid
	}
	leaseRow struct {
		id             int64
		session, agent id.UUID
		pool           int
		run            id.UUID
		task, attempt  int32
		asking         bool
		class          int64
		slots          int32
		rank, gang     int32 // gang: how many members it has; 0: none
		granted        time.Time
		started        time.Time
		stop           bool
	}
	sessionRow struct {
		id, agent id.UUID
		pool      int
		expires   time.Time
		ended     bool
	}
	timerRow struct {
		attempt int32
		at      time.Time
	}
)

func newDatabase(w *world) *database {
	return &database{
		w: w, up: true, locks: map[lockKey]*rowLock{}, keys: map[string]keyRow{},
		runs: map[id.UUID]*runRow{}, ready: map[taskKey]readyRow{}, leases: map[int64]*leaseRow{},
		sessions: map[id.UUID]*sessionRow{}, timers: map[timerKey]timerRow{},
		holds: map[holdKey]int32{}, lines: map[lineKey]*lineRow{}, admissions: map[id.UUID]*admissionRow{},
		wakes: map[id.UUID]wakeRow{}, usage: map[usage.Key]int64{}, seen: time.Now(), nextLease: 1,
	}
}

// now is PostgreSQL's clock, as the batches read it.
func (db *database) now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// What a call to the database may fail with.
var (
	errLost    = errors.New("the connection is lost")
	errTimeout = errors.New("the lock was not had in time")
)

// conn is a connection of a process.
type conn struct {
	db     *database
	proc   *process
	tx     *tx
	closed bool
	calls  int
}

func (db *database) connect() (*conn, error) {
	w := db.w
	w.pause(w.between(100*time.Microsecond, time.Millisecond))
	if !db.up || w.trouble(500) {
		return nil, errLost
	}
	c := &conn{db: db, proc: w.current.proc}
	db.open = append(db.open, c)
	return c, nil
}

// idleInTransaction is after how long PostgreSQL ends a transaction whose
// client stands still.
const idleInTransaction = 10 * time.Second

// call sends statements and waits for their results. On every one of them the
// network may fail: before, and nothing was done; or after, and all was done but
// the caller cannot know.
func (c *conn) call(do func() error) error {
	w := c.db.w
	c.calls++
	w.pause(w.latency())
	if c.closed || !c.db.up || w.trouble(700) {
		c.close()
		return errLost
	}
	err := do()
	if err == nil {
		w.pause(w.latency())
	}
	if c.closed || w.trouble(700) {
		if err == nil {
			w.done.Unknown++
		}
		c.close()
		return errLost
	}
	if c.tx != nil {
		calls := c.calls
		w.after(idleInTransaction, func() {
			if c.tx != nil && c.calls == calls {
				c.close()
			}
		})
	}
	return err
}

func (w *world) latency() time.Duration {
	if w.trouble(100) {
		return w.between(10*time.Millisecond, 1500*time.Millisecond)
	}
	return w.between(50*time.Microsecond, 900*time.Microsecond)
}

// close ends a connection: its transaction is rolled back, its locks are free.
func (c *conn) close() {
	if c.closed {
		return
	}
	c.closed = true
	for i, x := range c.db.open {
		if x == c {
			c.db.open = append(c.db.open[:i], c.db.open[i+1:]...)
			break
		}
	}
	if c.db.ticker == c {
		c.db.ticker = nil
		c.db.w.notify(&c.db.tickerGone)
	}
	c.rollback()
}

// crash is an immediate restart: every connection breaks, nothing that was
// committed is lost.
func (db *database) crash(away time.Duration) {
	db.up = false
	for len(db.open) > 0 {
		db.open[0].close()
	}
	db.w.after(away, func() { db.up = true })
}
