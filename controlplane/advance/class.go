package advance

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/engine"
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
	// Uses are the limits that an attempt takes units of while it lives.
	Uses []Use `json:"uses,omitempty"`
	Gang *Gang `json:"gang,omitempty"`
}

// Use is a number of units of a named limit.
type Use struct {
	Name  string `json:"name"`
	Units int32  `json:"units"`
}

// Gang is several leases of one attempt, each of which needs all that the
// requirement says.
type Gang struct {
	Size  int32 `json:"size"`
	Min   int32 `json:"min,omitempty"`
	Apart bool  `json:"apart,omitempty"` // no two on one agent
	// StartMS is how long after its leases all members must run; 0: for ever.
	StartMS int64 `json:"start_ms,omitempty"`
}

// members is how many leases an attempt needs at least.
func (r *Requirement) members() int32 {
	switch {
	case r.Gang == nil:
		return 1
	case r.Gang.Min > 0:
		return min(r.Gang.Min, r.Gang.Size)
	}
	return r.Gang.Size
}

// size is how many leases an attempt wants.
func (r *Requirement) size() int32 {
	if r.Gang == nil {
		return 1
	}
	return r.Gang.Size
}

// fits reports whether there is room for a task in what is free.
func (r *Requirement) fits(free Free) bool {
	if r.Slots == 0 {
		return free.Decisions > 0
	}
	return r.Slots <= free.Slots && r.CPUMillis <= free.CPUMillis && r.MemoryBytes <= free.MemoryBytes && r.GPUs <= free.GPUs
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
		Sealed:      len(t.ArtifactsIn) > 0 || readsSealed(p, &t.Reads) || (t.Template && len(t.Env) > 0),
	}
	for _, u := range t.Limits {
		r.Uses = append(r.Uses, Use{Name: u.Limit, Units: int32(u.Units)})
	}
	if g := t.Gang; g != nil {
		r.Gang = &Gang{Size: int32(g.Size), Min: int32(g.Min), Apart: g.Spread != plan.SpreadAny, StartMS: int64(t.Timeouts.Start)}
	}
	return r
}

const sqlFindClasses = `
	SELECT digest, id
	FROM requirement_class
	WHERE org_id = @org_id
		AND digest = ANY(@digests)`

// Sorted: inserts with a unique key wait for each other.
const sqlInternClasses = `
	INSERT INTO requirement_class (org_id, digest, spec)
	SELECT @org_id, k.digest, k.spec
	FROM unnest(@digests::bytea[], @specs::jsonb[]) AS k (digest, spec)
	ORDER BY k.digest
	ON CONFLICT (org_id, digest) DO NOTHING`

const sqlReadClass = `
	SELECT spec
	FROM requirement_class
	WHERE org_id = @org_id
		AND id = @id`

// internClasses finds the ids of the tasks' requirement classes, and makes those
// that are new.
func internClasses(ctx context.Context, tx pgx.Tx, org id.UUID, tasks []*taskInfo) error {
	digests := make([][sha256.Size]byte, len(tasks))
	specs := map[[sha256.Size]byte]string{}
	for i := range tasks {
		spec, err := json.Marshal(tasks[i].req)
		if err != nil {
			return fmt.Errorf("encode requirement: %w", err)
		}
		digests[i] = sha256.Sum256(spec)
		specs[digests[i]] = string(spec)
	}
	found, err := findClasses(ctx, tx, org, specs)
	if err != nil {
		return err
	}
	if len(found) < len(specs) {
		var news [][]byte
		var texts []string
		for d, spec := range specs {
			if _, known := found[d]; !known {
				news, texts = append(news, d[:]), append(texts, spec)
			}
		}
		_, err := tx.Exec(ctx, sqlInternClasses, pgx.StrictNamedArgs{"org_id": org, "digests": news, "specs": texts})
		if err != nil {
			return fmt.Errorf("intern requirement classes: %w", err)
		}
		if found, err = findClasses(ctx, tx, org, specs); err != nil {
			return err
		}
	}
	for i := range tasks {
		class, known := found[digests[i]]
		if !known {
			return errors.New("intern requirement classes: one is missing")
		}
		tasks[i].class = class
	}
	return nil
}

func findClasses(ctx context.Context, tx pgx.Tx, org id.UUID, specs map[[sha256.Size]byte]string) (map[[sha256.Size]byte]int64, error) {
	list := make([][]byte, 0, len(specs))
	for d := range specs {
		list = append(list, d[:])
	}
	rows, err := tx.Query(ctx, sqlFindClasses, pgx.StrictNamedArgs{"org_id": org, "digests": list})
	if err != nil {
		return nil, fmt.Errorf("find requirement classes: %w", err)
	}
	out := map[[sha256.Size]byte]int64{}
	var digest []byte
	var class int64
	_, err = pgx.ForEachRow(rows, []any{&digest, &class}, func() error {
		out[[sha256.Size]byte(digest)] = class
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find requirement classes: %w", err)
	}
	return out, nil
}

// class returns the requirement of a class that some ready row names.
func (v *versions) class(ctx context.Context, conn querier, org id.UUID, class int64) (Requirement, error) {
	v.mu.Lock()
	req, ok := v.classes[class]
	v.mu.Unlock()
	if ok {
		return req, nil
	}
	var spec []byte
	err := conn.QueryRow(ctx, sqlReadClass, pgx.StrictNamedArgs{"org_id": org, "id": class}).Scan(&spec)
	if err != nil {
		return Requirement{}, fmt.Errorf("read requirement class %d: %w", class, err)
	}
	if err := json.Unmarshal(spec, &req); err != nil {
		return Requirement{}, fmt.Errorf("decode requirement class %d: %w", class, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	evict(v.classes, maxClasses)
	v.classes[class] = req
	return req, nil
}

// requirement is that of a class, if it is remembered.
func (v *versions) requirement(class int64) (Requirement, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	req, known := v.classes[class]
	return req, known
}

// without is what is left free when a lease is started.
func (v *versions) without(free Free, l *leaseRow) Free {
	v.mu.Lock()
	req := v.classes[l.class]
	v.mu.Unlock()
	if l.asking != engine.AskNothing {
		free.Decisions--
		return free
	}
	free.Slots -= l.slots
	free.CPUMillis -= req.CPUMillis
	free.MemoryBytes -= req.MemoryBytes
	free.GPUs -= req.GPUs
	return free
}
