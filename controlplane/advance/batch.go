package advance

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

// request is a command in the queue, with what its caller looked up beforehand
// so that the batch need not.
type request struct {
	cmd     any
	version *version // StartRun
	run     id.UUID  // StartRun: the id its run will have
	session *session // Poll, Report
	done    chan result

	// over: a poll that no longer waits; guarded by the park.
	over bool

	status []ReportStatus
	err    error
	value  any
}

// reasonUnavailable is the reason of everything that may simply be repeated.
const reasonUnavailable fault.Reason = "UNAVAILABLE"

type result struct {
	value any
	err   error
}

func (r *request) answer(value any, err error) { r.done <- result{value, err} }

// batch is one transaction's worth of requests and all that is known about
// them. It lives for one attempt: after a failure a new one is made.
type batch struct {
	a    *Advancer
	reqs []*request
	now  time.Time

	ops    []op
	runs   map[RunKey]*runWork
	keys   map[startKey]*startKeyRow
	counts map[pipelineKey]int64 // next run number, as it will be written

	ready  map[taskKey]bool // locked ready rows of runs that may lose them
	claims []readyRow       // heads of queues
	leases map[int64]*leaseRow
	byRun  map[RunKey][]*leaseRow
	living map[id.UUID]*sessionRow
	listed map[id.UUID][]*leaseRow
	pools  map[id.UUID]*poolRow

	takers   []*taker
	borrowed []*waiter
	granted  []grant
	unready  []taskKey
	phases   []phaseChange
	renew    []*sessionRow
	// Whom to wake once it is committed: agents that wait elsewhere.
	wakePools    map[id.UUID]bool
	wakeSessions map[id.UUID]bool
	// Queues to look at again.
	again map[poolRef]bool
}

type (
	taskKey struct {
		RunKey

		Task int32
	}
	startKey struct {
		org, pipeline id.UUID
		key           string
	}
	pipelineKey struct{ org, id id.UUID }
)

// op is one command on one run; a Report of several attempts becomes several.
type op struct {
	key   RunKey
	order int
	req   *request
	index int // of the report within its request
}

// The order of commands within a batch: an attempt's report counts before the
// expiry of its session.
const (
	orderStart = iota
	orderReport
	orderAct
	orderDue
	orderLose
)

// runWork is what a batch does to one run. It is kept apart per run, so that a
// run whose rules panic takes nothing else with it.
type runWork struct {
	*run

	isNew    bool
	start    *request
	seq      int64 // as the locked row says
	failed   error
	entries  []entryRow
	opened   map[int32]engine.Opening
	closed   map[int32]bool
	stops    []engine.Stop
	timers   map[timerKey]engine.Timer
	fired    []timerKey
	gone     map[int64]bool // leases ended by this batch
	changed  bool
	finished bool
}

type timerKey struct {
	kind string
	task int32
}

type entryRow struct {
	engine.Entry

	path       string
	generation int32
	body       []byte
	billedMS   int64
	firstStart bool
	lease      *leaseRow
}

func newBatch(a *Advancer, reqs []*request) *batch {
	b := &batch{
		a: a, reqs: reqs,
		runs: map[RunKey]*runWork{}, keys: map[startKey]*startKeyRow{}, counts: map[pipelineKey]int64{},
		ready: map[taskKey]bool{}, leases: map[int64]*leaseRow{}, byRun: map[RunKey][]*leaseRow{},
		living: map[id.UUID]*sessionRow{}, listed: map[id.UUID][]*leaseRow{}, pools: map[id.UUID]*poolRow{},
		wakePools: map[id.UUID]bool{}, wakeSessions: map[id.UUID]bool{}, again: map[poolRef]bool{},
	}
	for _, r := range reqs {
		r.err, r.value, r.status = nil, nil, nil
		b.plan(r)
	}
	slices.SortStableFunc(b.ops, func(x, y op) int { return cmp.Compare(x.order, y.order) })
	return b
}

// plan says which runs a request touches.
func (b *batch) plan(r *request) {
	switch c := r.cmd.(type) {
	case StartRun:
		b.add(op{key: RunKey{c.Org, r.run}, order: orderStart, req: r})
	case Report:
		r.status = make([]ReportStatus, len(c.Reports))
		for i := range c.Reports {
			b.add(op{key: RunKey{c.Org, c.Reports[i].Run}, order: orderReport, req: r, index: i})
		}
	case CancelRun:
		b.add(op{key: c.RunKey, order: orderAct, req: r})
	case RetryRun:
		b.add(op{key: c.RunKey, order: orderAct, req: r})
	case Due:
		b.add(op{key: c.RunKey, order: orderDue, req: r})
	case Lose:
		b.add(op{key: c.RunKey, order: orderLose, req: r})
	}
}

func (b *batch) add(o op) {
	b.ops = append(b.ops, o)
	if b.runs[o.key] == nil {
		b.runs[o.key] = &runWork{
			isNew: o.order == orderStart, opened: map[int32]engine.Opening{}, closed: map[int32]bool{},
			timers: map[timerKey]engine.Timer{}, gone: map[int64]bool{},
		}
	}
}

// decide runs the rules. Nothing here touches the database.
func (b *batch) decide() {
	for _, o := range b.ops {
		w := b.runs[o.key]
		if w.failed != nil {
			o.fail(w.failed)
			continue
		}
		if w.run == nil && !w.isNew {
			o.fail(errRunGone(o.key))
			continue
		}
		if err := b.guarded(w, o); err != nil {
			o.fail(err)
		}
	}
	// A command that was answered well before its run failed must not be.
	for _, o := range b.ops {
		if w := b.runs[o.key]; w.failed != nil {
			o.fail(w.failed)
		}
	}
}

// guarded keeps a panic of the rules to its run: the run's part of the batch is
// dropped, its cached state too, and everybody else goes on.
func (b *batch) guarded(w *runWork, o op) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in the rules of run %s: %v\n%s", id.Format(id.Run, o.key.Run), p, debug.Stack())
			w.failed = err
			b.a.runs.drop(o.key)
		}
	}()
	return b.apply(w, o)
}

func (o op) fail(err error) {
	if c, ok := o.req.cmd.(Report); ok && len(c.Reports) > 0 {
		o.req.status[o.index] = ReportRetry
		return
	}
	o.req.err = err
}
