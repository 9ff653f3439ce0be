package advance

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

// hearsay knows the sessions of pools that speak to any replica. Behind a balancer
// that keeps connections each replica hears its own agents only, and would keep no
// room for a gang that needs more than those: small tasks could pass it for ever.
// It is read outside of batches, of pools where such a gang waits, and as often as
// it is asked for once it is older than couldFor.
type hearsay struct {
	mu     sync.Mutex
	pools  map[id.UUID]*heard
	wanted map[id.UUID]bool
}

type heard struct {
	asked    time.Time // by this machine's clock
	at       time.Time
	sessions []*session
}

// maxHeard bounds how many sessions of a pool are read: more than a gang has
// members.
const maxHeard = 10_000

func newHearsay() *hearsay { return &hearsay{pools: map[id.UUID]*heard{}, wanted: map[id.UUID]bool{}} }

// of lists what was heard of a pool, and notes that it is wanted anew.
func (h *hearsay) of(pool id.UUID, now time.Time) []*session {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := h.pools[pool]
	if known == nil || now.Sub(known.asked) >= couldFor {
		h.wanted[pool] = true
	}
	if known == nil || now.Sub(known.at) > silentAfter {
		return nil
	}
	return known.sessions
}

// ask takes the pools that are to be read now.
func (h *hearsay) ask(now time.Time) []id.UUID {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []id.UUID
	for pool := range maps.Keys(h.wanted) {
		if h.pools[pool] == nil {
			evict(h.pools, maxPools)
			h.pools[pool] = &heard{}
		}
		h.pools[pool].asked = now
		out = append(out, pool)
	}
	clear(h.wanted)
	return out
}

func (h *hearsay) hear(pool id.UUID, sessions []*session, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.pools[pool]; known != nil {
		known.at, known.sessions = now, sessions
	}
}

const sqlReadPoolSessions = `
	SELECT s.id, s.agent_id, s.labels, s.slots, s.cpu_millis, s.memory_bytes, s.gpus, s.gpu_type,
		coalesce(w.sealing_kid = ANY(s.sealing_kids), false)
	FROM session s
	JOIN workspace w ON w.org_id = s.org_id AND w.id = s.workspace_id
	WHERE s.org_id = @org_id
		AND s.pool_id = @pool_id
		AND NOT s.ended
		AND NOT s.draining
		AND s.expires_at > now()
	LIMIT @most`

// listenAround reads of the pools' other sessions what the batch would have liked
// to know. The next ones will.
func (a *Advancer) listenAround(ctx context.Context) {
	pools := a.voices.others.ask(time.Now())
	if len(pools) == 0 || a.alone() {
		return
	}
	ctx = context.WithoutCancel(ctx)
	for _, pool := range pools {
		known := a.settings.of(pool)
		if known == nil {
			continue
		}
		a.running.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, connectWithin)
			defer cancel()
			list, err := a.readPoolSessions(ctx, known.org, pool)
			if err != nil {
				a.log.LogAttrs(ctx, slog.LevelWarn, "the agents of other replicas are not known", slog.Any("error", err))
				return
			}
			a.voices.others.hear(pool, list, time.Now())
		})
	}
}

func (a *Advancer) readPoolSessions(ctx context.Context, org, pool id.UUID) ([]*session, error) {
	rows, err := a.pool.Query(ctx, sqlReadPoolSessions, pgx.StrictNamedArgs{"org_id": org, "pool_id": pool, "most": maxHeard})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*session, error) {
		s := &session{org: org, pool: pool, satisfied: map[int64]bool{}}
		err := row.Scan(&s.id, &s.agent, &s.labels, &s.slots, &s.cpuMillis, &s.memoryBytes, &s.gpus, &s.gpuType, &s.holdsKey)
		return s, err
	})
}
