package simulation_test

import (
	"bytes"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
)

// batch is one transaction of the group commit: the same trips, locks and order
// of commands as in controlplane/advance.
type batch struct {
	r       *replica
	tx      *tx
	reqs    []*request
	now     time.Time
	writing bool

	ops      []op
	works    map[id.UUID]*runWork
	order    []id.UUID
	keys     map[string]keyRow
	numbers  map[int]int64
	unready  []taskKey
	ready    map[taskKey]bool
	claims   []taskKey
	leases   map[int64]*leaseRow
	byRun    map[id.UUID][]*leaseRow
	due      map[timerKey]timerRow
	living   map[id.UUID]*sessionRow
	listed   map[id.UUID][]*leaseRow
	used     map[int]int64 // slots of the limited pools
	takers   []*taker
	borrowed []*request
	granted  []*leaseRow
	renew    []id.UUID
	ended    []id.UUID
	phases   map[int64]time.Time
	woken    []int
	tell     []id.UUID
	claimed  map[taskKey]readyRow
	wakes    map[id.UUID]bool // that are still to be served
	served   []id.UUID
	leaves   []wakeRow

	lines   map[lineKey]*engine.Line
	leavers map[id.UUID]leaver
	halted  map[int]bool // pipelines that are paused

	limits   map[int]*limitRow
	heldOf   map[int]int64
	released map[int]int64
	unheld   []holdKey
	taken    []holdKey
	units    []int32 // of taken
	spent    map[int]bool

	resumed  map[id.UUID][]id.UUID
	paused   []id.UUID // that wait for their pipeline
	unpaused []id.UUID // that do not any more
}

type op struct {
	run   id.UUID
	order int
	req   *request
	index int
}

// The order of commands within a batch.
const (
	orderStart = iota
	orderReport
	orderAct
	orderDue
	orderLose
)

// runWork is what a batch does to one run.
type runWork struct {
	isNew    bool
	state    *engine.State
	start    *request
	before   int64
	missing  bool
	refused  bool
	entries  []entryRow
	opened   map[int32]engine.Opening
	closed   map[int32]bool
	stops    []engine.Stop
	timers   map[timerKey]timerRow
	fired    []timerKey
	gone     map[int64]bool
	finished bool
	parent   parentOf
	children []engine.Child
	recalled []engine.Recall
}

func (r *replica) newBatch(reqs []*request) *batch {
	b := &batch{
		r: r, reqs: reqs, works: map[id.UUID]*runWork{}, keys: map[string]keyRow{}, numbers: map[int]int64{},
		ready: map[taskKey]bool{}, leases: map[int64]*leaseRow{}, byRun: map[id.UUID][]*leaseRow{},
		due: map[timerKey]timerRow{}, living: map[id.UUID]*sessionRow{}, listed: map[id.UUID][]*leaseRow{},
		used: map[int]int64{}, phases: map[int64]time.Time{}, claimed: map[taskKey]readyRow{}, wakes: map[id.UUID]bool{},
		limits: map[int]*limitRow{}, heldOf: map[int]int64{}, released: map[int]int64{}, spent: map[int]bool{},
		lines: map[lineKey]*engine.Line{}, leavers: map[id.UUID]leaver{}, halted: map[int]bool{}, resumed: map[id.UUID][]id.UUID{},
	}
	for _, q := range reqs {
		q.status, q.taker, q.orders, q.resend, q.value, q.err = nil, nil, nil, nil, nil, nil
		switch c := q.cmd.(type) {
		case startRun:
			b.add(op{run: q.run, order: orderStart, req: q})
		case reportAll:
			q.status = make([]status, len(c.reports))
			for i := range c.reports {
				b.add(op{run: c.reports[i].run, order: orderReport, req: q, index: i})
			}
		case cancelRun:
			b.add(op{run: c.run, order: orderAct, req: q})
		case retryRun:
			b.add(op{run: c.run, order: orderAct, req: q})
		case pauseRun:
			b.add(op{run: c.run, order: orderAct, req: q})
		case resumeRun:
			b.add(op{run: c.run, order: orderAct, req: q})
		case sendSignal:
			b.add(op{run: c.run, order: orderAct, req: q})
		case castVote:
			b.add(op{run: c.run, order: orderAct, req: q})
		case dueTimer:
			b.add(op{run: c.run, order: orderDue, req: q})
		case loseLease:
			b.add(op{run: c.run, order: orderLose, req: q})
		case wakeRow:
			b.planWake(q, c)
		}
	}
	slices.SortStableFunc(b.ops, func(x, y op) int { return x.order - y.order })
	slices.SortFunc(b.order, func(x, y id.UUID) int { return bytes.Compare(x[:], y[:]) })
	return b
}

func newRunWork() *runWork {
	return &runWork{
		opened: map[int32]engine.Opening{}, closed: map[int32]bool{},
		timers: map[timerKey]timerRow{}, gone: map[int64]bool{},
	}
}

func (b *batch) add(o op) {
	b.ops = append(b.ops, o)
	if b.works[o.run] == nil {
		b.works[o.run] = newRunWork()
		b.works[o.run].isNew = o.order == orderStart
		b.order = append(b.order, o.run)
	} else if w := b.works[o.run]; w.isNew && o.order != orderStart {
		w.isNew, w.refused = false, false // a child that is there: the wake for it was served before
	}
}

// attempt is one try: what is known, trip one, the rules, trip two.
func (r *replica) attempt(c *conn, reqs []*request, lone bool) (*batch, error) {
	b := r.newBatch(reqs)
	if err := b.remember(c); err != nil {
		return b, err
	}
	b.gatherTakers(lone)
	if err := c.call(func() error { b.tx = c.begin(); return b.lock() }); err != nil {
		return b, err
	}
	if err := b.freshen(c); err != nil {
		return b, err
	}
	b.decide()
	b.serveLines()
	b.heartbeats()
	b.handOver()
	b.write()
	return b, c.call(func() error {
		if len(b.tx.writes) == 0 {
			c.rollback()
			return nil
		}
		b.writing = true
		c.commit()
		b.r.w.db.committed(b)
		return nil
	})
}

// remember finds the runs before anything is locked: in the cache, or by folding
// their journals.
func (b *batch) remember(c *conn) error {
	var unknown []id.UUID
	for _, run := range b.order {
		if w := b.works[run]; !w.isNew {
			if w.state = b.r.cache[run]; w.state == nil {
				unknown = append(unknown, run)
			}
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return c.call(func() error {
		for _, run := range unknown {
			if row := b.r.w.db.runs[run]; row != nil {
				s := engine.NewState(run)
				b.r.fold(s, row)
				b.works[run].state = s
				b.r.cache[run] = s
			}
		}
		return nil
	})
}

// fold advances a state by what the journal has beyond it.
func (r *replica) fold(s *engine.State, row *runRow) {
	for _, e := range row.journal[min(s.Seq, int64(len(row.journal))):] {
		if err := engine.Fold(r.w.graph(row), s, e.Entry); err != nil {
			r.w.violate("a journal cannot be folded: %v", err)
			return
		}
	}
}

// freshen makes the states equal to the locked rows.
func (b *batch) freshen(c *conn) error {
	behind := false
	for _, run := range b.order {
		w, row := b.works[run], b.r.w.db.runs[run]
		switch {
		case w.isNew:
		case row == nil:
			w.missing = true
		default:
			if w.state == nil || w.state.Seq > row.seq {
				w.state = engine.NewState(run)
				b.r.cache[run] = w.state
			}
			w.before = row.seq
			behind = behind || w.state.Seq < row.seq
		}
	}
	if !behind {
		return nil
	}
	return c.call(func() error {
		for _, run := range b.order {
			if w := b.works[run]; !w.isNew && !w.missing {
				b.r.fold(w.state, b.r.w.db.runs[run])
			}
		}
		return nil
	})
}

// abandon forgets the states that the rules have advanced, and gives back who
// was borrowed.
func (b *batch) abandon() {
	for _, run := range b.order {
		delete(b.r.cache, run)
	}
	for _, q := range b.borrowed {
		b.r.park(q)
	}
	if b.tx != nil && b.tx.conn.tx == b.tx {
		b.tx.conn.rollback()
	}
}

// park lets a poll wait for work.
func (r *replica) park(q *request) {
	c := q.cmd.(poll)
	if q.over || q.done {
		q.reply(&work{}, nil)
		r.w.notify(&q.answer)
		return
	}
	for _, p := range r.parked {
		if p.cmd.(poll).session == c.session {
			r.leave(p)
			break
		}
	}
	r.parked = append(r.parked, q)
}

// settle answers everybody once it is committed.
func (b *batch) settle() {
	w := b.r.w
	for _, run := range b.order {
		if x := b.works[run]; x.missing || x.refused || x.state == nil || x.state.Run.Terminal() {
			delete(b.r.cache, run)
		} else {
			b.r.cache[run] = x.state
		}
	}
	for _, q := range append(append([]*request(nil), b.reqs...), b.borrowed...) {
		b.settleOne(q)
		if q.done {
			w.notify(&q.answer)
		}
	}
	b.r.pass(b)
	if len(b.woken)+len(b.tell) > 0 {
		w.hear(b.r, b.woken, b.tell)
	}
}

func (b *batch) settleOne(q *request) {
	switch c := q.cmd.(type) {
	case poll:
		if q.err != nil {
			q.reply(nil, q.err)
			return
		}
		out := b.workFor(q)
		if len(out.leases)+len(out.orders) == 0 && c.wait > 0 {
			b.r.park(q)
			return
		}
		q.reply(out, nil)
	case reportAll:
		out := b.workFor(q)
		out.status = b.r.answerStale(c, q.status)
		q.reply(out, nil)
	default:
		q.reply(q.value, q.err)
	}
}

func (b *batch) workFor(q *request) *work {
	out := &work{orders: q.orders}
	add := func(l *leaseRow) {
		out.leases = append(out.leases, lease{l.id, l.run, l.task, l.attempt, l.asking, l.slots})
	}
	if q.taker != nil {
		for _, l := range q.taker.leases {
			add(l)
		}
	}
	for _, l := range q.resend {
		add(l)
	}
	return out
}

// answerStale asks the journal about reports whose lease was not there: what an
// earlier delivery recorded is accepted again.
func (r *replica) answerStale(c reportAll, all []status) []status {
	for i := range all {
		if all[i] != statusNone {
			continue
		}
		all[i] = statusStale
		row := r.w.db.runs[c.reports[i].run]
		if row == nil || r.w.opt.plant == plantReport {
			continue
		}
		if e := row.end(c.reports[i].lease); e != nil && e.Agent == c.agent && !e.taken() && !row.forced(e) {
			all[i] = statusAccepted
		}
	}
	return all
}

// end is the entry that ended a lease.
func (row *runRow) end(lease int64) *entryRow {
	for i := range row.journal {
		if e := &row.journal[i]; e.EndsLease() && e.Lease == lease {
			return e
		}
	}
	return nil
}

// taken reports whether the lease was taken back from a session that had ended,
// so that its agent reported nothing.
func (e *entryRow) taken() bool {
	return e.Outcome == engine.OutcomeLost && e.Reason == engine.ReasonTaken
}

// forced reports whether an end came from somebody who ended the run by force.
func (row *runRow) forced(e *entryRow) bool {
	return slices.ContainsFunc(row.journal, func(f entryRow) bool {
		return f.Kind == engine.KindRunForced && f.Seq < e.Seq && f.At.Equal(e.At)
	})
}
