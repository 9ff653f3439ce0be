package advance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/aside"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

// session is what never changes about a living connection of an agent.
type session struct {
	org, id, agent, workspace, pool id.UUID
	labels                          map[string]string
	slots                           int32
	cpuMillis, memoryBytes          int64
	gpus                            int32
	gpuType                         string
	address                         string // by which other agents reach it
	holdsKey                        bool
	keyless                         bool      // it has no sealing key at all
	limited                         bool      // its pool, when this was read
	readAt                          time.Time // by this machine's clock

	// calm: its last poll waited to its end and found nothing.
	calm atomic.Bool

	mu        sync.Mutex
	satisfied map[int64]bool // by requirement class
	// The last leases whose ends its agent has told, around from the oldest.
	ends    []int64
	nextEnd int
}

// maxEnds is how many ends are remembered: as many as may be on the way.
const maxEnds = 64

// tell remembers that the session's own agent has ended a lease.
func (s *session) tell(lease int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ends) < maxEnds {
		s.ends = append(s.ends, lease)
		return
	}
	s.ends[s.nextEnd] = lease
	s.nextEnd = (s.nextEnd + 1) % maxEnds
}

func (s *session) told(lease int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.ends, lease)
}

const sqlReadSession = `
	SELECT s.agent_id, s.workspace_id, s.pool_id, s.labels, s.slots, s.cpu_millis, s.memory_bytes, s.gpus, s.gpu_type, s.address,
		coalesce(w.sealing_kid = ANY(s.sealing_kids), false), s.sealing_kids = '{}', p.slots > 0, s.ended
	FROM session s
	JOIN pool p ON p.org_id = s.org_id AND p.id = s.pool_id
	JOIN workspace w ON w.org_id = s.org_id AND w.id = s.workspace_id
	WHERE s.org_id = @org_id
		AND s.id = @id`

type sessions struct {
	mu    sync.Mutex
	known map[id.UUID]*session
}

const (
	maxSessions = 50_000
	// keylessFor is how long a session may be remembered as one that lacks the
	// workspace's key: the key may have been made since.
	keylessFor = 2 * time.Second
)

func errSessionExpired() error {
	return fault.FailedPrecondition("SESSION_EXPIRED", "the session has ended; open a new one")
}

// session returns a living session of an agent. Errors: SESSION_EXPIRED.
func (a *Advancer) session(ctx context.Context, org, agent, sid id.UUID) (*session, error) {
	a.sessions.mu.Lock()
	known := a.sessions.known[sid]
	a.sessions.mu.Unlock()
	if known != nil && (known.holdsKey || known.keyless || time.Since(known.readAt) < keylessFor) {
		if known.org != org || known.agent != agent {
			return nil, errSessionExpired()
		}
		return known, nil
	}
	var s *session
	var err error
	aside.Do(func() { s, err = a.readSession(ctx, org, agent, sid) })
	if err != nil {
		return nil, err
	}
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	evict(a.sessions.known, maxSessions)
	a.sessions.known[sid] = s
	return s, nil
}

func (a *Advancer) readSession(ctx context.Context, org, agent, sid id.UUID) (*session, error) {
	s := &session{org: org, id: sid, readAt: time.Now(), satisfied: map[int64]bool{}}
	var ended bool
	row := a.pool.QueryRow(ctx, sqlReadSession, pgx.StrictNamedArgs{"org_id": org, "id": sid})
	err := row.Scan(&s.agent, &s.workspace, &s.pool, &s.labels, &s.slots, &s.cpuMillis, &s.memoryBytes, &s.gpus, &s.gpuType, &s.address, &s.holdsKey, &s.keyless, &s.limited, &ended)
	if pg.NoRows(err) || (err == nil && (ended || s.agent != agent)) {
		return nil, errSessionExpired()
	}
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	return s, nil
}

// Forget drops what is remembered of a session, after something about it
// changed.
func (a *Advancer) Forget(session id.UUID) {
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	delete(a.sessions.known, session)
}

// satisfies reports whether the session could ever run a task of the class.
func (s *session) satisfies(class int64, req Requirement) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ok, known := s.satisfied[class]
	if !known {
		ok = s.meets(req)
		s.satisfied[class] = ok
	}
	return ok
}

func (s *session) meets(req Requirement) bool {
	for k, v := range req.Select {
		if s.labels[k] != v {
			return false
		}
	}
	if len(req.GPUTypes) > 0 && !slices.ContainsFunc(req.GPUTypes, func(t string) bool { return strings.EqualFold(t, s.gpuType) }) {
		return false
	}
	if req.Sealed && !s.holdsKey {
		return false
	}
	return req.Slots <= s.slots && req.CPUMillis <= s.cpuMillis && req.MemoryBytes <= s.memoryBytes && req.GPUs <= s.gpus
}

// places is how many leases of a class it could have at once, if it has any.
func (s *session) places(req Requirement) int32 {
	n := int32(1)
	if req.Gang == nil || req.Gang.Apart {
		return n
	}
	for n < req.Gang.Size {
		more := n + 1
		if req.Slots*more > s.slots || req.CPUMillis*int64(more) > s.cpuMillis || req.MemoryBytes*int64(more) > s.memoryBytes || req.GPUs*more > s.gpus {
			break
		}
		n = more
	}
	return n
}
