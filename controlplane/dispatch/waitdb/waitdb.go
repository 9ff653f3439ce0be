// Package waitdb reads what decides when a waiting task is taken: its place in
// the queue, its pool's agents and lanes, its limits. It changes nothing, takes
// no locks, and reads no further than a page shows.
//
// It reads under whatever role and policy its caller's connection has; the
// sentences about it are controlplane/dispatch/explain's.
package waitdb

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/controlplane/dispatch/explain"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Querier is a transaction or a pool of connections.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// MaxAhead is where the count of those ahead of a task ends.
const MaxAhead = 1000

// maxTasks bounds how many tasks of a run are read at once, maxAgents how many
// agents of their pools: those that are there first.
const (
	maxTasks  = 100
	maxAgents = 500
)

// What is ahead for certain: the index leads to it without reading others, of
// the same lane class by class.
const sqlReadWaits = `
	SELECT r.path, r.pool_id, p.workspace_id, p.name, p.paused, p.pause_note, p.slots, p.fairness, p.laned, p.weights,
		(SELECT coalesce(sum(l.slots), 0) FROM lease l WHERE l.org_id = p.org_id AND l.pool_id = p.id) AS used,
		c.spec, r.priority, p.reserve_after_ms, r.lane, r.since, o.frozen_at IS NOT NULL AS frozen, o.freeze_note, o.state IN ('suspended', 'closed') AS unpaid,
		(SELECT count(*) FROM (
			SELECT FROM ready h WHERE h.org_id = r.org_id AND h.pool_id = r.pool_id AND -h.priority < -r.priority LIMIT @most) x)
		+ (SELECT count(*) FROM (
			WITH RECURSIVE k AS (
				(SELECT h.class_id, 1 AS n
					FROM ready h
					WHERE h.org_id = r.org_id AND h.pool_id = r.pool_id AND -h.priority = -r.priority AND h.lane = r.lane
					ORDER BY h.class_id
					LIMIT 1)
				UNION ALL
				SELECT x.class_id, k.n + 1
				FROM k
				CROSS JOIN LATERAL (
					SELECT h.class_id
					FROM ready h
					WHERE h.org_id = r.org_id AND h.pool_id = r.pool_id AND -h.priority = -r.priority AND h.lane = r.lane
						AND h.class_id > k.class_id
					ORDER BY h.class_id
					LIMIT 1
				) x
				WHERE k.n < @classes
			)
			SELECT
			FROM k
			CROSS JOIN LATERAL (
				SELECT FROM ready h
				WHERE h.org_id = r.org_id
					AND h.pool_id = r.pool_id
					AND -h.priority = -r.priority
					AND h.lane = r.lane
					AND h.class_id = k.class_id
					AND h.since < r.since
				LIMIT @most
			) h
			LIMIT @most) x) AS ahead
	FROM ready r
	JOIN pool p ON p.org_id = r.org_id AND p.id = r.pool_id
	JOIN organization o ON o.org_id = r.org_id
	JOIN requirement_class c ON c.org_id = r.org_id AND c.id = r.class_id
	WHERE r.org_id = @org_id
		AND r.run_id = @run_id
		AND (@task::int IS NULL OR r.task = @task)
	ORDER BY r.task
	LIMIT @tasks`

type waitRow struct {
	Path        string
	PoolID      id.UUID
	WorkspaceID id.UUID
	Name        string
	Paused      bool
	PauseNote   string
	Slots       int32
	Fairness    string
	Laned       bool
	Weights     map[string]float64
	Used        int64
	Spec        []byte
	Priority    int32
	// ReserveAfterMS is the pool's; 0: for nobody room is kept free.
	ReserveAfterMS int64 `db:"reserve_after_ms"`
	Lane           id.UUID
	Since          time.Time
	Ahead          int64
	Frozen         bool
	FreezeNote     string
	Unpaid         bool
}

// spec is a requirement class as controlplane/advance writes it.
type spec struct {
	Select      map[string]string `json:"select"`
	Slots       int64             `json:"slots"`
	CPUMillis   int64             `json:"cpu_millis"`
	MemoryBytes int64             `json:"memory_bytes"`
	GPUs        int64             `json:"gpus"`
	GPUTypes    []string          `json:"gpu_types"`
	Sealed      bool              `json:"sealed"`
	Uses        []struct {
		Name  string `json:"name"`
		Units int64  `json:"units"`
	} `json:"uses"`
	Gang *struct {
		Size  int64 `json:"size"`
		Apart bool  `json:"apart"`
	} `json:"gang"`
}

// Read returns the waits of a run's tasks that stand in a queue, by their paths;
// of one task alone where it is given.
func Read(ctx context.Context, q Querier, now time.Time, org, run id.UUID, task *int32) (map[string]*explain.Wait, error) {
	rows, err := q.Query(ctx, sqlReadWaits, pgx.StrictNamedArgs{"org_id": org, "run_id": run, "task": task, "most": MaxAhead, "classes": maxQueues, "tasks": maxTasks})
	if err != nil {
		return nil, fmt.Errorf("read waiting tasks: %w", err)
	}
	waits, err := pgx.CollectRows(rows, pgx.RowToStructByName[waitRow])
	if err != nil {
		return nil, fmt.Errorf("read waiting tasks: %w", err)
	}
	if len(waits) == 0 {
		return nil, nil
	}
	agents, err := readAgents(ctx, q, org, waits)
	if err != nil {
		return nil, err
	}
	out := map[string]*explain.Wait{}
	limits := map[string]explain.Limit{}
	shares := map[choose.LaneKey]float64{}
	aged := map[queueKey][]explain.Aged{}
	for i := range waits {
		r := &waits[i]
		w, err := r.wait()
		if err != nil {
			return nil, err
		}
		w.Agents = agents[r.PoolID]
		if err := readLimits(ctx, q, now, org, r.WorkspaceID, w, limits); err != nil {
			return nil, err
		}
		if r.Laned {
			if w.Share, err = r.share(ctx, q, org, shares); err != nil {
				return nil, err
			}
		}
		w.Run, w.Task = run, r.Path
		if w.Aged, err = r.aged(ctx, q, now, org, aged); err != nil {
			return nil, err
		}
		out[r.Path] = w
	}
	return out, nil
}

// wait is the row without what is read apart. What the limits want stands in
// them already.
func (r *waitRow) wait() (*explain.Wait, error) {
	var s spec
	if err := json.Unmarshal(r.Spec, &s); err != nil {
		return nil, fmt.Errorf("read a requirement: %w", err)
	}
	w := &explain.Wait{
		Pool:  explain.Pool{Name: r.Name, Paused: r.Paused, Note: r.PauseNote, Slots: int64(r.Slots), Used: r.Used},
		Since: r.Since, Ahead: min(r.Ahead, MaxAhead), AheadMore: r.Ahead >= MaxAhead, Share: 1,
		Frozen: r.Frozen, FreezeNote: r.FreezeNote, Unpaid: r.Unpaid,
		Need: s.need(),
	}
	for _, u := range s.Uses {
		w.Limits = append(w.Limits, explain.Limit{Name: u.Name, Want: u.Units})
	}
	return w, nil
}

func (s *spec) need() explain.Need {
	out := explain.Need{
		Select: s.Select, Slots: s.Slots, CPUMillis: s.CPUMillis, MemoryBytes: s.MemoryBytes, GPUs: s.GPUs,
		GPUTypes: s.GPUTypes, Sealed: s.Sealed,
	}
	if s.Gang != nil {
		out.GangSize, out.Apart = s.Gang.Size, s.Gang.Apart
	}
	return out
}
