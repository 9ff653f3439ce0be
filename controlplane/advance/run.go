package advance

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/journal"
	"github.com/signalboxhq/signalbox/internal/aside"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// run is a folded run in memory. Only the batch loop changes state; info and
// version never change.
type run struct {
	key     RunKey
	info    runInfo
	version *version
	state   *engine.State
	weight  int // what the cache counts for it
}

// runInfo is what a run was started with.
type runInfo struct {
	workspace id.UUID
	pipeline  id.UUID
	digest    plan.Digest
	number    int64
	labelSet  int64
	labels    map[string]string
	priority  int32
	createdAt time.Time
	deadline  time.Time
	actor     string  // who started it
	line      *string // its concurrency key; nil: none
	parent    *Parent // nil: none
	fire      *Fire   // of a scheduled run
}

const sqlReadRunInfo = `
	SELECT r.workspace_id, r.pipeline_id, r.digest, r.number, r.label_set_id, r.priority, r.created_at,
		coalesce(r.deadline, 'epoch'), r.actor, l.labels, r.concurrency_key,
		r.parent_run, r.parent_task, r.parent_attempt, r.nominal, r.interval_start
	FROM run r
	JOIN label_set l ON l.org_id = r.org_id AND l.id = r.label_set_id
	WHERE r.org_id = @org_id
		AND r.id = @run_id`

// loadRun reads a run and folds its journal, without locks.
func (a *Advancer) loadRun(ctx context.Context, key RunKey) (*run, error) {
	out := &run{key: key}
	var digest []byte
	row := a.pool.QueryRow(ctx, sqlReadRunInfo, pgx.StrictNamedArgs{"org_id": key.Org, "run_id": key.Run})
	i := &out.info
	var parent *id.UUID
	var task, attempt *int32
	var nominal, from *time.Time
	err := row.Scan(&i.workspace, &i.pipeline, &digest, &i.number, &i.labelSet, &i.priority, &i.createdAt, &i.deadline, &i.actor, &i.labels, &i.line, &parent, &task, &attempt,
		&nominal, &from)
	if err != nil {
		if pg.NoRows(err) {
			return nil, fault.NotFound("run", id.Format(id.Run, key.Run))
		}
		return nil, fmt.Errorf("read run: %w", err)
	}
	copy(i.digest[:], digest)
	i.fire = fireOf(nominal, from)
	if parent != nil {
		i.parent = &Parent{Run: *parent, Task: *task, Attempt: *attempt}
	}
	if i.deadline.Unix() == 0 {
		i.deadline = time.Time{}
	}
	if out.version, err = a.versions.get(ctx, key.Org, i.pipeline, i.digest); err != nil {
		return nil, err
	}
	out.state = engine.NewState(key.Run)
	if err := a.catchUp(ctx, a.pool, out); err != nil {
		return nil, err
	}
	if out.state.Seq == 0 {
		return nil, errArchived(key.Run)
	}
	return out, nil
}

func fireOf(nominal, from *time.Time) *Fire {
	if nominal == nil || from == nil {
		return nil
	}
	return &Fire{nominal.UTC(), from.UTC()}
}

// errArchived is said of a run whose row is there and whose journal is not.
func errArchived(run id.UUID) error {
	return fault.FailedPrecondition(reasonArchived, "the journal of %s was archived: the run can be looked at in lists, and cannot go on; start it anew", id.Format(id.Run, run))
}

const reasonArchived = "JOURNAL_ARCHIVED"

// catchUp folds what the journal has beyond the state.
func (a *Advancer) catchUp(ctx context.Context, q journal.Querier, r *run) error {
	rows, err := journal.Read(ctx, q, r.key.Org, r.key.Run, r.state.Seq)
	if err != nil {
		return err
	}
	for i := range rows {
		if err := r.fold(rows[i].Entry); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) fold(e engine.Entry) error {
	if err := engine.Fold(r.version.graph, r.state, e); err != nil {
		return fmt.Errorf("fold entry %d of run %s: %w", e.Seq, id.Format(id.Run, r.key.Run), err)
	}
	return nil
}

// runs is the cache of folded runs, least recently used out first. It is
// bounded by the number of tasks in it, which is what its bytes go to.
type runs struct {
	mu    sync.Mutex
	known map[RunKey]*list.Element
	order *list.List
	tasks int
	limit int
}

// maxCachedTasks bounds the cache: a task's state takes about 100 bytes.
const maxCachedTasks = 2_000_000

func newRuns() *runs {
	return &runs{known: map[RunKey]*list.Element{}, order: list.New(), limit: maxCachedTasks}
}

func (c *runs) get(key RunKey) *run {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.known[key]
	if el == nil {
		return nil
	}
	c.order.MoveToFront(el)
	return el.Value.(*run)
}

// put adds a run unless it is there already, and returns the one that is.
func (c *runs) put(r *run) *run {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.known[r.key]; el != nil {
		return el.Value.(*run)
	}
	c.known[r.key] = c.order.PushFront(r)
	c.weigh(r)
	return r
}

// weigh counts a run's tasks: they grow. It makes room for them.
func (c *runs) weigh(r *run) {
	c.tasks += len(r.state.Tasks) - r.weight
	r.weight = len(r.state.Tasks)
	for c.tasks > c.limit && c.order.Len() > 1 {
		c.remove(c.order.Back())
	}
}

// grown counts a run anew whose maps have expanded.
func (c *runs) grown(r *run) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.known[r.key]; el != nil && el.Value.(*run) == r {
		c.weigh(r)
	}
}

func (c *runs) drop(key RunKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.known[key]; el != nil {
		c.remove(el)
	}
}

func (c *runs) remove(el *list.Element) {
	r := c.order.Remove(el).(*run)
	delete(c.known, r.key)
	c.tasks -= r.weight
	r.weight = 0
}

// ensure makes sure that a run is in the cache, so that its batch need not fold
// it under locks.
func (a *Advancer) ensure(ctx context.Context, key RunKey) (*run, error) {
	if r := a.runs.get(key); r != nil {
		return r, nil
	}
	var r *run
	var err error
	aside.Do(func() { r, err = a.loadRun(ctx, key) })
	if err != nil {
		return nil, err
	}
	return a.runs.put(r), nil
}
