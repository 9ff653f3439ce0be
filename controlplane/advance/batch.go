package advance

import (
	"cmp"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
)

// batch is one transaction's worth of requests and all that is known about
// them. It lives for one attempt: after a failure a new one is made.
type batch struct {
	a    *Advancer
	reqs []*request
	how  manner
	now  time.Time
	// short says that the rules took back what was not locked.
	short bool
	// writing says that trip two was sent: what became of it is known by its
	// answer only.
	writing bool

	ops    []op
	runs   map[RunKey]*runWork
	keys   map[startKey]*startKeyRow
	counts map[pipelineKey]*counter

	ready  map[taskKey]bool // locked ready rows of runs that may lose them
	claims []readyRow       // heads of queues
	heads  map[id.UUID]*head
	readAt time.Time // when they were read, by this machine's clock
	leases map[int64]*leaseRow
	byRun  map[RunKey][]*leaseRow
	due    map[dueKey]timerRow
	living map[id.UUID]*sessionRow
	listed map[id.UUID][]*leaseRow
	pools  map[id.UUID]*poolRow
	chains map[id.UUID]audit.Head // ends of audit logs, by organization

	// Of pools with several lanes only.
	lanes   map[choose.LaneKey]choose.Lane
	clocks  map[choose.LaneKey]float64
	named   map[choose.LaneKey]string
	charged map[choose.LaneKey]*laneState

	// Of tasks under limits only: the limits as they were locked, where they
	// stand in the scene, what attempts that end give back and those that start
	// take, and the pools to look at when a rate allows more.
	limits   map[limitKey]*limitRow
	placed   map[limitKey]int
	scene    []choose.Limit
	released map[limitKey]int64
	unheld   map[taskKey]bool
	holds    []hold
	spent    map[limitKey]*limitRow
	dry      map[poolRef]time.Duration

	takers   []*taker
	takerOf  map[*request]*taker
	borrowed []*waiter
	granted  []grant
	unready  []taskKey
	phases   []phaseChange
	reported map[int64]bool // leases whose end their own agents told
	renew    []*sessionRow
	ended    []*sessionRow
	unkey    []*request // starts that failed after their key was made
	// Whom to wake once it is committed: agents that wait elsewhere.
	wakePools    map[id.UUID]bool
	wakeSessions map[id.UUID]bool
	gathers      map[id.UUID]bool // pools whose agents are to wait here
	// Queues to look at again.
	again map[id.UUID]look

	lines    map[lineKey]*engine.Line
	leavers  map[RunKey]leaver
	resumed  map[id.UUID][]id.UUID
	there    map[[2]id.UUID]bool // wakes that are still to be served
	wakes    []wakeRow
	paused   []*runWork // that wait for their pipeline
	unpaused []RunKey   // that do not any more
	rekey    []rekeyed  // keys that mean another run now
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
	dueKey      struct {
		RunKey
		timerKey
	}
	// counter numbers a pipeline's runs.
	counter struct {
		was, next int64
		paused    bool
		deployed  []byte
	}
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
	seq      int64 // as the locked row says; 0: there is none
	failed   error
	entries  []entryRow
	opened   map[int32]opened
	closed   map[int32]bool
	stops    []engine.Stop
	timers   map[timerKey]engine.Timer
	fired    []timerKey
	gone     map[int64]bool // leases ended by this batch
	fenced   []*leaseRow    // those whose agents did not end them themselves
	live     []engine.Lease // see batch.live
	finished bool

	approvals map[int32]bool // those that it concerns
	audits    []audit.Event
}

// opened is an attempt that became ready in this batch.
type opened struct {
	engine.Opening

	by     id.UUID // the agent whose report made it ready
	queued bool    // it waited before: a queue timer may run
}

type timerKey struct {
	kind string
	task int32
}

type entryRow struct {
	engine.Entry

	path        string
	generation  int32
	detail      []byte // Entry.Detail, encoded
	body        []byte
	from        int64 // the entry whose body is this one's too
	billedMS    int64
	billedGPUMS int64
	firstStart  bool
}

// members is how many members the attempt had that the entry ends; 0 where it
// was no gang's.
func (e *entryRow) members() int32 {
	if e.Detail == nil {
		return 0
	}
	return e.Detail.Gang
}

func newBatch(a *Advancer, reqs []*request) *batch {
	b := &batch{
		a: a, reqs: reqs,
		runs: map[RunKey]*runWork{}, keys: map[startKey]*startKeyRow{}, counts: map[pipelineKey]*counter{},
		ready: map[taskKey]bool{}, heads: map[id.UUID]*head{},
		leases: map[int64]*leaseRow{}, byRun: map[RunKey][]*leaseRow{}, due: map[dueKey]timerRow{},
		living: map[id.UUID]*sessionRow{}, listed: map[id.UUID][]*leaseRow{}, pools: map[id.UUID]*poolRow{}, chains: map[id.UUID]audit.Head{},
		reported: map[int64]bool{},
		takerOf:  map[*request]*taker{}, wakePools: map[id.UUID]bool{}, wakeSessions: map[id.UUID]bool{}, gathers: map[id.UUID]bool{}, again: map[id.UUID]look{},
		lanes: map[choose.LaneKey]choose.Lane{}, clocks: map[choose.LaneKey]float64{}, named: map[choose.LaneKey]string{},
		charged: map[choose.LaneKey]*laneState{},
		lines:   map[lineKey]*engine.Line{}, leavers: map[RunKey]leaver{}, resumed: map[id.UUID][]id.UUID{}, there: map[[2]id.UUID]bool{},
		limits: map[limitKey]*limitRow{}, placed: map[limitKey]int{},
		released: map[limitKey]int64{}, unheld: map[taskKey]bool{}, spent: map[limitKey]*limitRow{}, dry: map[poolRef]time.Duration{},
	}
	for _, r := range reqs {
		r.err, r.value, r.status, r.silent = nil, nil, nil, false
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
	case PauseRun:
		b.add(op{key: c.RunKey, order: orderAct, req: r})
	case ResumeRun:
		b.add(op{key: c.RunKey, order: orderAct, req: r})
	case SignalRun:
		b.add(op{key: c.RunKey, order: orderAct, req: r})
	case Vote:
		b.add(op{key: c.RunKey, order: orderAct, req: r})
	case Due:
		b.add(op{key: c.RunKey, order: orderDue, req: r})
	case Lose:
		b.add(op{key: c.RunKey, order: orderLose, req: r})
	case Wake:
		switch c.Kind {
		case WakeArrive, WakeAdmit, WakeDrop, WakeCancel, WakeChildEnded, WakeChild:
			b.add(op{key: RunKey{c.Org, c.Run}, order: orderAct, req: r})
			if r.start != nil {
				b.expect(RunKey{c.Org, c.Child}, true)
			}
		case WakeRelease, WakeResume, WakeRecall:
		}
	}
}

func (b *batch) add(o op) {
	b.ops = append(b.ops, o)
	b.expect(o.key, o.order == orderStart)
}

// expect has a run read, or made. One that somebody else speaks of is there: the
// wake for it was served before, and makes nothing.
func (b *batch) expect(key RunKey, isNew bool) {
	if w := b.runs[key]; w != nil {
		w.isNew = w.isNew && isNew
	} else {
		b.runs[key] = &runWork{
			isNew: isNew, opened: map[int32]opened{}, closed: map[int32]bool{},
			timers: map[timerKey]engine.Timer{}, gone: map[int64]bool{},
		}
	}
}

// decide runs the rules. Nothing here touches the database.
func (b *batch) decide() {
	for _, o := range b.ops {
		w := b.runs[o.key]
		switch {
		case w.failed != nil:
		case w.run == nil && !w.isNew:
			o.missing()
		default:
			if err := b.guarded(w, o); err != nil {
				o.fail(err)
			}
		}
	}
	for _, o := range b.ops {
		w := b.runs[o.key]
		// A command that was answered well before its run failed must not be.
		if w.failed != nil {
			o.fail(w.failed)
		}
		if o.order == orderStart && w.start == nil {
			b.unstart(o)
		}
	}
}

// guarded keeps a panic of the rules, and an error that leaves the state
// half-way, to its run: the run's part of the batch is dropped, its cached state
// too, and everybody else goes on.
func (b *batch) guarded(w *runWork, o op) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in the rules of run %s: %v\n%s", id.Format(id.Run, o.key.Run), p, debug.Stack())
			b.spoil(w, o.key, err)
		}
	}()
	return b.apply(w, o)
}

// spoil drops a run's part of the batch.
func (b *batch) spoil(w *runWork, key RunKey, err error) {
	if k, ok := w.lineKey(); ok && w.start != nil && b.lines[k] != nil {
		b.lines[k].Leave(key.Run, false, false) // it never came
	}
	w.failed, w.start = err, nil
	b.a.runs.drop(key)
}

// unstart puts right what a start that started nothing leaves: a key of its own
// must not be found again, and another's key in this batch only if it holds.
func (b *batch) unstart(o op) {
	c := o.req.cmd.(StartRun)
	known := b.keys[startKey{c.Org, c.Pipeline, c.Key}]
	if c.Key == "" || known == nil {
		return
	}
	if known.run == o.req.run {
		b.unkey = append(b.unkey, o.req)
	} else if first := b.runs[RunKey{c.Org, known.run}]; first != nil && first.isNew && first.start == nil && o.req.err == nil {
		o.fail(errUnavailable(errors.New("the start that holds the key failed")))
	}
}

func (o op) fail(err error) {
	if _, ok := o.req.cmd.(Report); ok {
		o.req.status[o.index] = ReportRetry
		return
	}
	o.req.err, o.req.value = err, nil
}

// missing answers a command about a run that is not there. A report is then
// answered from the journal: it is stale.
func (o op) missing() {
	if _, ok := o.req.cmd.(Report); !ok {
		o.req.err = errRunGone(o.key)
	}
}
