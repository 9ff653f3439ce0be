package waitdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/explain"
	"github.com/signalboxhq/signalbox/proto/id"
)

// An agent's newest session speaks for it; it expires 32 s after the request
// that renewed it.
const sqlReadAgents = `
	SELECT a.pool_id, a.name, s.id IS NOT NULL AS online, coalesce(s.draining, false) AS draining,
		CASE WHEN coalesce(s.expires_at, a.session_until, o.until) IS NOT NULL
			THEN least(coalesce(s.expires_at, greatest(a.session_until, o.until)) - interval '32 seconds', now())
		END AS seen_at,
		coalesce(s.labels, '{}') AS labels, coalesce(s.slots, 0)::bigint AS slots, coalesce(s.cpu_millis, 0) AS cpu_millis,
		coalesce(s.memory_bytes, 0) AS memory_bytes, coalesce(s.gpus, 0)::bigint AS gpus, coalesce(s.gpu_type, '') AS gpu_type,
		coalesce(w.sealing_kid = ANY(s.sealing_kids), false) AS holds_key,
		u.slots_used, u.cpu_used, u.memory_used, u.gpus_used
	FROM agent a
	JOIN workspace w ON w.org_id = a.org_id AND w.id = a.workspace_id
	LEFT JOIN LATERAL (
		SELECT x.id, x.labels, x.slots, x.cpu_millis, x.memory_bytes, x.gpus, x.gpu_type, x.expires_at, x.sealing_kids, x.draining
		FROM session x
		WHERE x.org_id = a.org_id AND x.agent_id = a.id AND NOT x.ended
		ORDER BY x.opened_at DESC
		LIMIT 1
	) s ON true
	CROSS JOIN LATERAL (
		SELECT max(x.expires_at) AS until FROM session x WHERE x.org_id = a.org_id AND x.agent_id = a.id
	) o
	CROSS JOIN LATERAL (
		SELECT coalesce(sum(l.slots), 0)::bigint AS slots_used,
			coalesce(sum((c.spec ->> 'cpu_millis')::bigint), 0)::bigint AS cpu_used,
			coalesce(sum((c.spec ->> 'memory_bytes')::bigint), 0)::bigint AS memory_used,
			coalesce(sum((c.spec ->> 'gpus')::bigint), 0)::bigint AS gpus_used
		FROM lease l
		JOIN requirement_class c ON c.org_id = l.org_id AND c.id = l.class_id
		WHERE l.org_id = a.org_id AND l.pool_id = a.pool_id AND l.session_id = s.id
	) u
	WHERE a.org_id = @org_id
		AND a.pool_id = ANY(@pools)
		AND a.revoked_at IS NULL
	ORDER BY s.id IS NULL, a.created_at DESC
	LIMIT @most`

type agentRow struct {
	PoolID                  id.UUID
	Name                    string
	Online, Draining        bool
	SeenAt                  *time.Time
	Labels                  map[string]string
	Slots, SlotsUsed        int64
	CPUMillis               int64 `db:"cpu_millis"`
	CPUUsed                 int64 `db:"cpu_used"`
	MemoryBytes, MemoryUsed int64
	GPUs                    int64  `db:"gpus"`
	GPUsUsed                int64  `db:"gpus_used"`
	GPUType                 string `db:"gpu_type"`
	HoldsKey                bool
}

func readAgents(ctx context.Context, q Querier, org id.UUID, waits []waitRow) (map[id.UUID][]explain.Agent, error) {
	var pools []id.UUID
	seen := map[id.UUID]bool{}
	for i := range waits {
		if !seen[waits[i].PoolID] {
			seen[waits[i].PoolID] = true
			pools = append(pools, waits[i].PoolID)
		}
	}
	rows, err := q.Query(ctx, sqlReadAgents, pgx.StrictNamedArgs{"org_id": org, "pools": pools, "most": maxAgents})
	if err != nil {
		return nil, fmt.Errorf("read agents: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[agentRow])
	if err != nil {
		return nil, fmt.Errorf("read agents: %w", err)
	}
	out := map[id.UUID][]explain.Agent{}
	for i := range list {
		a := &list[i]
		e := explain.Agent{
			Name: a.Name, Online: a.Online, Draining: a.Draining, Labels: a.Labels, Slots: a.Slots, SlotsUsed: a.SlotsUsed,
			CPUMillis: a.CPUMillis, CPUUsed: a.CPUUsed, MemoryBytes: a.MemoryBytes, MemoryUsed: a.MemoryUsed,
			GPUs: a.GPUs, GPUsUsed: a.GPUsUsed, GPUType: a.GPUType, HoldsKey: a.HoldsKey,
		}
		if a.SeenAt != nil {
			e.SeenAt = *a.SeenAt
		}
		out[a.PoolID] = append(out[a.PoolID], e)
	}
	return out, nil
}
