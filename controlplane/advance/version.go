package advance

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Requirement is what a task asks of an agent. Tasks that ask the same share a
// requirement class, so that a claim compares numbers.
type Requirement struct {
	Select      map[string]string `json:"select,omitempty"`
	Slots       int32             `json:"slots"`
	CPUMillis   int64             `json:"cpu_millis,omitempty"`
	MemoryBytes int64             `json:"memory_bytes,omitempty"`
	GPUs        int32             `json:"gpus,omitempty"`
	GPUTypes    []string          `json:"gpu_types,omitempty"`
	// Sealed says that the task reads sealed values: only an agent that holds
	// the workspace's key can run it.
	Sealed bool `json:"sealed,omitempty"`
}

// requirementOf derives a task's requirement from its plan.
func requirementOf(p *plan.Plan, t *plan.Task) Requirement {
	r := Requirement{
		Select:      t.Select,
		Slots:       int32(max(1, t.Resources.Slots)),
		CPUMillis:   t.Resources.CPUMillis,
		MemoryBytes: t.Resources.MemoryBytes,
		GPUs:        int32(t.Resources.GPUs),
		GPUTypes:    t.Resources.GPUTypes,
		Sealed:      len(t.ArtifactsIn) > 0,
	}
	for _, name := range t.Reads.Params {
		for i := range p.Params {
			if p.Params[i].Name == name && !p.Params[i].Open {
				r.Sealed = true
			}
		}
	}
	for _, ref := range t.Reads.Outputs {
		up, _, ok := p.Task(ref.Task)
		if !ok {
			continue
		}
		for _, o := range up.Outputs {
			if o.Name == ref.Output && !o.Open {
				r.Sealed = true
			}
		}
	}
	return r
}

// version is a plan with all that is looked up once: its graph, the pools its
// tasks name, their requirement classes.
type version struct {
	graph    *engine.Graph
	pipeline string
	tasks    []taskInfo
}

type taskInfo struct {
	pool  id.UUID
	class int64
	req   Requirement
	reads bool
}

type versionKey struct {
	org, pipeline id.UUID
	digest        plan.Digest
}

// versions caches compiled plans; a version never changes. A pool or a class
// never changes its id either.
type versions struct {
	pool *pgxpool.Pool

	mu      sync.Mutex
	known   map[versionKey]*version
	classes map[int64]Requirement
}

const maxVersions = 2000

func newVersions(pool *pgxpool.Pool) *versions {
	return &versions{pool: pool, known: map[versionKey]*version{}, classes: map[int64]Requirement{}}
}

const sqlReadVersion = `
	SELECT v.plan, p.name, p.workspace_id
	FROM version v
	JOIN pipeline p ON p.org_id = v.org_id AND p.id = v.pipeline_id
	WHERE v.org_id = @org_id
		AND v.pipeline_id = @pipeline_id
		AND v.digest = @digest`

const sqlPoolsByName = `
	SELECT name, id
	FROM pool
	WHERE org_id = @org_id
		AND workspace_id = @workspace_id
		AND name = ANY(@names)`

// The update makes RETURNING answer for a row that was there already.
const sqlInternClass = `
	INSERT INTO requirement_class (org_id, digest, spec)
	VALUES (@org_id, @digest, @spec)
	ON CONFLICT (org_id, digest) DO UPDATE SET digest = EXCLUDED.digest
	RETURNING id`

const sqlReadClass = `
	SELECT spec
	FROM requirement_class
	WHERE org_id = @org_id
		AND id = @id`

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
	if len(v.known) >= maxVersions {
		clear(v.known)
	}
	v.known[key] = loaded
	for i := range loaded.tasks {
		v.classes[loaded.tasks[i].class] = loaded.tasks[i].req
	}
	return loaded, nil
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
		pools, err := poolsOf(ctx, tx, key.org, workspace, p)
		if err != nil {
			return err
		}
		out.tasks = make([]taskInfo, len(p.Tasks))
		for i := range p.Tasks {
			t := &p.Tasks[i]
			pool, ok := pools[t.Pool]
			if !ok {
				return fault.FailedPrecondition(fault.ReasonNotFound, "pool %q, which task %q asks for, does not exist; create it with `signalbox pool create %s`", t.Pool, t.Name, t.Pool)
			}
			req := requirementOf(p, t)
			class, err := internClass(ctx, tx, key.org, req)
			if err != nil {
				return err
			}
			reads := len(t.Reads.Params) > 0 || len(t.Reads.Outputs) > 0 || len(t.ArtifactsIn) > 0
			out.tasks[i] = taskInfo{pool: pool, class: class, req: req, reads: reads}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func poolsOf(ctx context.Context, tx pgx.Tx, org, workspace id.UUID, p *plan.Plan) (map[string]id.UUID, error) {
	names := map[string]bool{}
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
	_, err = pgx.ForEachRow(rows, []any{&name, &pool}, func() error {
		out[name] = pool
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read pools: %w", err)
	}
	return out, nil
}

func internClass(ctx context.Context, tx pgx.Tx, org id.UUID, req Requirement) (int64, error) {
	spec, err := json.Marshal(req)
	if err != nil {
		return 0, fmt.Errorf("encode requirement: %w", err)
	}
	digest := sha256.Sum256(spec)
	var class int64
	err = tx.QueryRow(ctx, sqlInternClass, pgx.StrictNamedArgs{"org_id": org, "digest": digest[:], "spec": spec}).Scan(&class)
	if err != nil {
		return 0, fmt.Errorf("intern requirement class: %w", err)
	}
	return class, nil
}

// class returns the requirement of a class that some ready row names.
func (v *versions) class(ctx context.Context, org id.UUID, class int64) (Requirement, error) {
	v.mu.Lock()
	req, ok := v.classes[class]
	v.mu.Unlock()
	if ok {
		return req, nil
	}
	var spec []byte
	err := v.pool.QueryRow(ctx, sqlReadClass, pgx.StrictNamedArgs{"org_id": org, "id": class}).Scan(&spec)
	if err != nil {
		return Requirement{}, fmt.Errorf("read requirement class %d: %w", class, err)
	}
	if err := json.Unmarshal(spec, &req); err != nil {
		return Requirement{}, fmt.Errorf("decode requirement class %d: %w", class, err)
	}
	v.mu.Lock()
	v.classes[class] = req
	v.mu.Unlock()
	return req, nil
}

// knownClass returns a class that was seen before.
func (v *versions) knownClass(class int64) (Requirement, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	req, ok := v.classes[class]
	return req, ok
}
