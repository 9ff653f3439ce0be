package simulation_test

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// lockKind is a kind of row, in the one order in which they are locked.
type lockKind uint8

const (
	lockKeys lockKind = iota
	lockPipeline
	lockLine
	lockRun
	lockReady
	lockLease
	lockSession
	lockPool
	lockLimit
	lockReaper
)

type lockKey struct {
	kind lockKind
	id   id.UUID
	n    int64
	text string
}

func (k lockKey) compare(l lockKey) int {
	return cmp.Or(cmp.Compare(k.kind, l.kind), cmp.Compare(k.text, l.text), bytes.Compare(k.id[:], l.id[:]), cmp.Compare(k.n, l.n))
}

type rowLock struct {
	owner *tx
	free  signal
}

// tx is a transaction: the locks it has, and what it writes when it commits.
type tx struct {
	conn   *conn
	locks  []lockKey
	last   lockKey
	writes []func() string // what is wrong; empty if nothing
}

func (c *conn) begin() *tx {
	c.tx = &tx{conn: c}
	return c.tx
}

// lockTimeout is that of the group commit's connection.
const lockTimeout = time.Second

// lock waits for a row's lock. The order is the group commit's promise: nobody
// who keeps it ever waits in a circle.
func (t *tx) lock(k lockKey) error {
	w := t.conn.db.w
	if t.owns(k) {
		return nil
	}
	if len(t.locks) > 0 && k.compare(t.last) < 0 {
		w.violate("a lock is taken out of order: %v after %v", k, t.last)
	}
	t.last = k
	var until time.Time
	for {
		l := t.conn.db.locks[k]
		if l == nil {
			t.conn.db.locks[k] = &rowLock{owner: t}
			t.locks = append(t.locks, k)
			return nil
		}
		if until.IsZero() {
			until = time.Now().Add(lockTimeout)
		}
		left := time.Until(until)
		if left <= 0 {
			return errTimeout
		}
		w.wait(&l.free, left)
		if t.conn.closed {
			return errLost
		}
	}
}

// try takes a lock that nobody has: SKIP LOCKED.
func (t *tx) try(k lockKey) bool {
	if t.owns(k) {
		return true
	}
	if t.conn.db.locks[k] != nil {
		return false
	}
	t.conn.db.locks[k] = &rowLock{owner: t}
	t.locks = append(t.locks, k)
	return true
}

func (t *tx) owns(k lockKey) bool {
	l := t.conn.db.locks[k]
	return l != nil && l.owner == t
}

// lockAll locks rows in order.
func (t *tx) lockAll(keys []lockKey) error {
	slices.SortFunc(keys, lockKey.compare)
	for _, k := range slices.Compact(keys) {
		if err := t.lock(k); err != nil {
			return err
		}
	}
	return nil
}

// write queues a statement; what it returns is what PostgreSQL itself refuses.
func (t *tx) write(statement func() string) { t.writes = append(t.writes, statement) }

// commit carries out what was written, at once. A statement that PostgreSQL
// refuses is a defect: everything that it touches is locked.
func (c *conn) commit() {
	w := c.db.w
	for _, statement := range c.tx.writes {
		if wrong := statement(); wrong != "" {
			w.violate("PostgreSQL refuses a batch: %s", wrong)
			break
		}
	}
	w.done.Commits++
	c.tx.writes = nil
	c.rollback()
}

// rollback forgets the transaction and frees its locks.
func (c *conn) rollback() {
	if c.tx == nil {
		return
	}
	for _, k := range c.tx.locks {
		if l := c.db.locks[k]; l != nil && l.owner == c.tx {
			delete(c.db.locks, k)
			c.db.w.notify(&l.free)
		}
	}
	c.tx = nil
}
