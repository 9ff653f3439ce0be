package advance

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Limits of the queue, and of a batch. Commands beyond it wait for the next one.
const (
	queueLength = 20_000
	maxCommands = 1000
	maxRows     = 5000
	maxBytes    = 16 << 20 // of params and outputs: a statement's message has a limit
)

// queue holds the requests that wait for a batch, by organization: a batch takes
// from each in turn, so that who sends much waits for itself.
type queue struct {
	mu    sync.Mutex
	lines map[id.UUID][]*request
	turns []id.UUID // the organizations with a line, next one first
	total int
	looks map[id.UUID]*request // those that wait, by pool
	// What organizations asked for lately, and what followed from that for a batch.
	loads    map[id.UUID]load
	shared   int
	sharedAt time.Time
	closed   bool

	filled chan struct{} // holds a token when something may be in the queue
	calm   bool          // a timer will put one there
}

func newQueue() *queue {
	return &queue{lines: map[id.UUID][]*request{}, looks: map[id.UUID]*request{}, loads: map[id.UUID]load{}, filled: make(chan struct{}, 1)}
}

// add queues a request. It refuses when the queue is closed or full: an
// organization may fill as much as it leaves free for the others, so that none
// can shut them out. Back-pressure instead of growth.
func (q *queue) add(r *request) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	org := r.org()
	switch {
	case q.closed:
		return errUnavailable(errors.New("stopped"))
	case len(q.lines[org]) >= queueLength-q.total:
		return errUnavailable(errors.New("queue full"))
	}
	q.push(org, r)
	q.note(org, r, time.Now())
	return nil
}

func (q *queue) push(org id.UUID, r *request) {
	if len(q.lines[org]) == 0 {
		q.turns = append(q.turns, org)
	}
	q.lines[org] = append(q.lines[org], r)
	q.total++
	switch {
	case !r.calm:
		q.wake()
	case !q.calm:
		q.calm = true
		time.AfterFunc(calmFor, func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.calm = false
			q.wake()
		})
	}
}

// calmFor is how long a poll in no hurry waits for others, or for anything else
// that makes a batch: a thousand idle agents are ten commits a second.
const calmFor = 100 * time.Millisecond

// wake has the queue looked at. The lock is held.
func (q *queue) wake() {
	select {
	case q.filled <- struct{}{}:
	default:
	}
}

// look queues a look at a pool's queue, unless one waits already. What does not
// fit is found by the look of each second.
func (q *queue) look(l look) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r := q.looks[l.pool]; r != nil {
		r.cmd = r.cmd.(look).and(l)
		return
	}
	if q.closed || len(q.lines[l.org]) >= queueLength-q.total {
		return
	}
	r := newRequest(l)
	q.looks[l.pool] = r
	q.push(l.org, r)
}

// take waits for requests and returns a batch of them, or nil when ctx ends.
func (q *queue) take(ctx context.Context) []*request {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-q.filled:
		}
		q.gather()
		if out := q.batch(); len(out) > 0 {
			return out
		}
	}
}

// gather lets whoever is about to ask do so, as long as there is somebody: the
// last batch answered many at once, and they ask again. No time passes where
// nobody else is ready to run.
func (q *queue) gather() {
	for waiting := q.length(); ; {
		runtime.Gosched()
		now := q.length()
		if now <= waiting || now >= maxCommands {
			return
		}
		waiting = now
	}
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.total
}

// batch takes one request of each organization in turn, until the batch is full.
// Where somebody with little to do would wait for the batch, those with much have
// only so much of it, also in turn.
func (q *queue) batch() []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([]*request, 0, min(q.total, maxCommands))
	rows, bytes := 0, 0
	now := time.Now()
	share, much := q.share(now), 0
	var later []id.UUID
	for len(q.turns) > 0 && len(out) < maxCommands {
		org := q.turns[0]
		line := q.lines[org]
		r := line[0]
		bounded := share < math.MaxInt && q.heavy(org, now)
		if r.fit(math.MaxInt); bounded {
			r.fit(share - much)
		}
		if bounded && much > 0 && much+r.rows > share {
			q.turns, later = q.turns[1:], append(later, org)
			continue
		}
		if len(out) > 0 && (rows+r.rows > maxRows || bytes+r.bytes > maxBytes) {
			break
		}
		out = append(out, r)
		rows, bytes = rows+r.rows, bytes+r.bytes
		if bounded {
			much += r.rows
		}
		q.turns = q.turns[1:]
		if len(line) == 1 {
			delete(q.lines, org)
		} else {
			line[0] = nil
			q.lines[org] = line[1:]
			q.turns = append(q.turns, org)
		}
		q.total--
		if l, ok := r.cmd.(look); ok {
			delete(q.looks, l.pool)
		}
	}
	q.turns = append(later, q.turns...)
	if q.total > 0 {
		q.wake()
	}
	return out
}

// refuse answers all that wait with an error: callers repeat.
func (q *queue) refuse(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, line := range q.lines {
		for _, r := range line {
			r.answer(nil, err)
		}
	}
	q.turns, q.total = nil, 0
	clear(q.lines)
	clear(q.looks)
}

// close refuses all that wait and whatever comes. It may be called twice.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.refuse(errUnavailable(errors.New("stopped")))
}
