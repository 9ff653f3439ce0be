package advance

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// How a limit follows from what earlier attempts took.
const (
	enoughTimes = 5  // fewer say nothing
	newestTimes = 15 // how many are remembered
	leastLimit  = time.Second
)

// autoLimit is how long a step may run: the plan's factor times the median of
// what the last successes took; 0, which is no limit, until there are enough.
func autoLimit(factorMilli int64, took []int64) time.Duration {
	if len(took) < enoughTimes {
		return 0
	}
	sorted := slices.Sorted(slices.Values(took))
	n := len(sorted)
	twice := sorted[(n-1)/2] + sorted[n/2] // twice the median
	return max(leastLimit, time.Duration(twice)*time.Duration(factorMilli)*time.Millisecond/2000)
}

// timeKey is what is alike enough to be compared: attempts of one task of a
// pipeline, in any of its versions, that asked the same of an agent.
type timeKey struct {
	org, pipeline id.UUID
	task          string
	class         int64
}

func (a timeKey) compare(b timeKey) int {
	return cmp.Or(slices.Compare(a.org[:], b.org[:]), slices.Compare(a.pipeline[:], b.pipeline[:]),
		cmp.Compare(a.task, b.task), cmp.Compare(a.class, b.class))
}

// timeKeyOf is nil for a task whose limit the plan says, or that has none.
func timeKeyOf(r *run, node int32) *timeKey {
	t := &r.version.graph.Plan.Tasks[node]
	if t.Timeouts.RunAutoMilli == 0 {
		return nil
	}
	return &timeKey{r.key.Org, r.info.pipeline, t.Name, r.version.tasks[node].class}
}

// runTimes are what successes took that were committed and are not written yet.
// Only tasks that ask for it come here. What a crash loses is a sample.
type runTimes struct {
	mu    sync.Mutex
	fresh map[timeKey][]int64

	writing sync.Mutex
}

// learn remembers the successes of a batch that has committed.
func (a *Advancer) learn(ctx context.Context, b *batch) {
	var found bool
	for _, w := range b.runs {
		if w.run == nil || w.failed != nil {
			continue
		}
		for i := range w.entries {
			if e := &w.entries[i]; e.Kind == engine.KindAttemptEnded && e.Attempt > 0 && e.Outcome == engine.OutcomeSucceeded && !e.Started.IsZero() {
				if k := timeKeyOf(w.run, w.version.graph.Node(w.state, e.Task)); k != nil {
					a.times.add(*k, e.Finished.Sub(e.Started).Milliseconds())
					found = true
				}
			}
		}
	}
	if found {
		a.running.Go(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
			defer cancel()
			if err := a.writeTimes(ctx); err != nil {
				a.log.LogAttrs(ctx, slog.LevelWarn, "how long steps took was not remembered", slog.Any("error", err))
			}
		})
	}
}

func (t *runTimes) add(k timeKey, took int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fresh == nil {
		t.fresh = map[timeKey][]int64{}
	}
	list := append(t.fresh[k], took)
	t.fresh[k] = list[max(0, len(list)-newestTimes):]
}

func (t *runTimes) take() map[timeKey][]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.fresh
	t.fresh = nil
	return out
}

const sqlAddTimes = `
	INSERT INTO run_time AS r (org_id, pipeline_id, task, class_id, took, updated_at)
	VALUES (@org_id, @pipeline_id, @task, @class_id, @took, now())
	ON CONFLICT (org_id, pipeline_id, task, class_id) DO UPDATE
	SET took = (r.took || EXCLUDED.took)[greatest(1, cardinality(r.took || EXCLUDED.took) - @newest::int + 1):],
		updated_at = EXCLUDED.updated_at`

// writeTimes writes what is fresh, a row for each task however many attempts it
// had. Whoever returns from it finds all that was learned before in the table.
func (a *Advancer) writeTimes(ctx context.Context) error {
	a.times.writing.Lock()
	defer a.times.writing.Unlock()
	fresh := a.times.take()
	if len(fresh) == 0 {
		return nil
	}
	keys := make([]timeKey, 0, len(fresh))
	for k := range fresh {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, timeKey.compare) // all replicas lock in one order
	var batch pgx.Batch
	for _, k := range keys {
		batch.Queue(sqlAddTimes, pgx.StrictNamedArgs{
			"org_id": k.org, "pipeline_id": k.pipeline, "task": k.task, "class_id": k.class, "took": fresh[k], "newest": newestTimes,
		})
	}
	if err := a.pool.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("write run times: %w", err)
	}
	return nil
}

const sqlReadTimes = `
	SELECT t.org_id, t.pipeline_id, t.task, t.class_id, t.took
	FROM unnest(@orgs::uuid[], @pipelines::uuid[], @tasks::text[], @classes::bigint[]) AS k (org_id, pipeline_id, task, class_id)
	JOIN run_time t ON t.org_id = k.org_id AND t.pipeline_id = k.pipeline_id AND t.task = k.task AND t.class_id = k.class_id`

// limited is a lease whose limit is looked up before it is sent.
type limited struct {
	index  int // in the answer's leases
	key    timeKey
	factor int64
}

// limitSteps reads how long the steps of these answers may run. Without an answer of
// the database they have no limit: none of them is late because of it.
func (a *Advancer) limitSteps(ctx context.Context, replies []*reply) error {
	wanted := map[timeKey][]int64{}
	for _, p := range replies {
		for i := range p.limited {
			wanted[p.limited[i].key] = nil
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	if err := a.writeTimes(ctx); err != nil {
		return err
	}
	var orgs, pipelines []id.UUID
	var tasks []string
	var classes []int64
	for k := range wanted {
		orgs, pipelines, tasks, classes = append(orgs, k.org), append(pipelines, k.pipeline), append(tasks, k.task), append(classes, k.class)
	}
	rows, err := a.pool.Query(ctx, sqlReadTimes, pgx.StrictNamedArgs{"orgs": orgs, "pipelines": pipelines, "tasks": tasks, "classes": classes})
	if err != nil {
		return fmt.Errorf("read run times: %w", err)
	}
	var k timeKey
	var took []int64
	_, err = pgx.ForEachRow(rows, []any{&k.org, &k.pipeline, &k.task, &k.class, &took}, func() error {
		wanted[k] = slices.Clone(took)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read run times: %w", err)
	}
	for _, p := range replies {
		for _, l := range p.limited {
			p.work.Leases[l.index].RunLimit = plan.Millis(autoLimit(l.factor, wanted[l.key]).Milliseconds())
		}
	}
	return nil
}
