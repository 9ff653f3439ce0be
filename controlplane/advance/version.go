package advance

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// version is a plan with all that is looked up once: its graph, the pools its
// tasks name, their requirement classes.
type version struct {
	graph    *engine.Graph
	pipeline string
	tasks    []taskInfo
	widths   map[id.UUID]*width // by pool
	first    int                // tasks that are ready when a run starts
	limits   []string           // that its tasks are under
	gangs    bool               // it has tasks that are gangs
}

type taskInfo struct {
	pool  id.UUID
	class int64
	req   Requirement
	reads bool
	// Where its decisions are made: in the run's pool. Nil if it asks nothing.
	asks *taskInfo
}

// info is what is known of a task of a run, or of what its open attempt asks.
func (v *version) info(s *engine.State, task int32, asking engine.Ask) *taskInfo {
	t := &v.tasks[v.graph.Node(s, task)]
	if asking != engine.AskNothing {
		return t.asks
	}
	return t
}

// name is the path of a task of a run.
func (v *version) name(s *engine.State, task int32) string { return v.graph.Path(s, task) }

type versionKey struct {
	org, pipeline id.UUID
	digest        plan.Digest
}

// versions caches compiled plans; a version never changes. A pool or a class
// never changes its id either.
type versions struct {
	pool     *pgxpool.Pool
	settings *settings

	mu      sync.Mutex
	known   map[versionKey]*version
	classes map[int64]Requirement
}

// maxVersions and maxClasses bound what is remembered.
const (
	maxVersions = 10_000
	maxClasses  = 100_000
)

func newVersions(pool *pgxpool.Pool, s *settings) *versions {
	return &versions{pool: pool, settings: s, known: map[versionKey]*version{}, classes: map[int64]Requirement{}}
}

const sqlReadVersion = `
	SELECT v.plan, p.name, p.workspace_id
	FROM version v
	JOIN pipeline p ON p.org_id = v.org_id AND p.id = v.pipeline_id
	WHERE v.org_id = @org_id
		AND v.pipeline_id = @pipeline_id
		AND v.digest = @digest`

const sqlPoolsByName = `
	SELECT p.name, p.id, ` + settingColumns + `
	FROM pool p
	WHERE p.org_id = @org_id
		AND p.workspace_id = @workspace_id
		AND p.name = ANY(@names)`

// get returns the version, from the cache or the database. Errors: NotFound;
// FailedPrecondition when a pool that it names is gone.
func (v *versions) get(ctx context.Context, org, pipeline id.UUID, digest plan.Digest) (*version, error) {
	key := versionKey{org, pipeline, digest}
	v.mu.Lock()
	known := v.known[key]
	v.mu.Unlock()
	if known != nil {
		return known, nil
	}
	loaded, err := v.load(ctx, key)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	evict(v.known, maxVersions)
	v.known[key] = loaded
	for i := range loaded.tasks {
		evict(v.classes, maxClasses)
		v.classes[loaded.tasks[i].class] = loaded.tasks[i].req
		if asks := loaded.tasks[i].asks; asks != nil {
			v.classes[asks.class] = asks.req
		}
	}
	return loaded, nil
}

// evict makes room for one more: any goes, because to forget all at once would
// have all of them read again at once.
func evict[K comparable, V any](m map[K]V, limit int) {
	if len(m) < limit {
		return
	}
	for k := range m {
		delete(m, k)
		return
	}
}

func (v *versions) load(ctx context.Context, key versionKey) (*version, error) {
	var out *version
	err := pg.InSystem(ctx, v.pool, func(tx pgx.Tx) error {
		var bytes []byte
		var workspace id.UUID
		out = &version{}
		row := tx.QueryRow(ctx, sqlReadVersion, pgx.StrictNamedArgs{"org_id": key.org, "pipeline_id": key.pipeline, "digest": key.digest[:]})
		if err := row.Scan(&bytes, &out.pipeline, &workspace); err != nil {
			if pg.NoRows(err) {
				return fault.NotFound("version", key.digest.String())
			}
			return fmt.Errorf("read version: %w", err)
		}
		p, err := plan.Decode(bytes)
		if err != nil {
			return err
		}
		if out.graph, err = engine.NewGraph(p); err != nil {
			return fmt.Errorf("prepare version %s: %w", key.digest, err)
		}
		pools, err := v.poolsOf(ctx, tx, key.org, workspace, p)
		if err != nil {
			return err
		}
		out.tasks, err = tasksOf(p, pools)
		if err != nil {
			return err
		}
		return internClasses(ctx, tx, key.org, everyInfo(out.tasks))
	})
	if err != nil {
		return nil, err
	}
	out.widths = measure(out.graph.Plan, out.tasks)
	for i := range out.tasks {
		for _, u := range out.tasks[i].req.Uses {
			if !slices.Contains(out.limits, u.Name) {
				out.limits = append(out.limits, u.Name)
			}
		}
	}
	for _, w := range out.widths {
		out.first += w.first
	}
	out.gangs = slices.ContainsFunc(out.tasks, func(t taskInfo) bool { return t.req.Gang != nil })
	return out, nil
}

func tasksOf(p *plan.Plan, pools map[string]id.UUID) ([]taskInfo, error) {
	out := make([]taskInfo, len(p.Tasks))
	for i := range p.Tasks {
		t := &p.Tasks[i]
		pool, ok := pools[t.Pool]
		if held := engine.Holds(t) && !t.Asks(); !ok && !held {
			return nil, fault.FailedPrecondition(fault.ReasonNotFound, "pool %q, which task %q asks for, does not exist; create it with `signalbox pool create %s`", t.Pool, t.Name, t.Pool)
		}
		out[i] = taskInfo{pool: pool, req: requirementOf(p, t), reads: readsAny(t)}
		if t.Asks() || t.AsksItem() || t.Repeat != nil {
			if pool, ok = pools[p.Pool]; !ok {
				return nil, fault.FailedPrecondition(fault.ReasonNotFound, "pool %q, which decides what task %q asks, does not exist; create it with `signalbox pool create %s`", p.Pool, t.Name, p.Pool)
			}
			out[i].asks = &taskInfo{pool: pool, req: decisionOf(p, t), reads: true}
		}
	}
	return out, nil
}

func (v *versions) poolsOf(ctx context.Context, tx pgx.Tx, org, workspace id.UUID, p *plan.Plan) (map[string]id.UUID, error) {
	names := map[string]bool{p.Pool: true}
	for i := range p.Tasks {
		names[p.Tasks[i].Pool] = true
	}
	list := make([]string, 0, len(names))
	for n := range names {
		list = append(list, n)
	}
	rows, err := tx.Query(ctx, sqlPoolsByName, pgx.StrictNamedArgs{"org_id": org, "workspace_id": workspace, "names": list})
	if err != nil {
		return nil, fmt.Errorf("read pools: %w", err)
	}
	out := map[string]id.UUID{}
	var name string
	var pool id.UUID
	var r settingRow
	_, err = pgx.ForEachRow(rows, append([]any{&name, &pool}, r.into()...), func() error {
		out[name] = pool
		v.settings.learn(org, pool, &r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read pools: %w", err)
	}
	return out, nil
}
