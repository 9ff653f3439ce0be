package advance

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/proto/id"
)

// The members of a gang get their leases in one batch, so that those who wait
// for them must wait at one replica. One that finds a gang for which too few wait
// says so; for a while, all others hand it the polls of the pool, and end those
// that wait with them: their agents ask again. Of two that say so, the one whose
// name comes first gathers. So while a gang waits, each poll of its pool takes
// one hop more; reports are served wherever they come.

// gathering is where a pool's polls are wanted.
type gathering struct {
	replica id.UUID
	until   time.Time // by this machine's clock
}

// gatherings are those that this replica leads or has heard of.
type gatherings struct {
	mu    sync.Mutex
	pools map[id.UUID]gathering
	said  map[id.UUID]time.Time
}

const (
	// gatherFor is how long it is believed that a replica gathers, gatherEvery
	// how often it says so.
	gatherFor   = 3 * time.Second
	gatherEvery = time.Second
)

// ElsewhereError says that a poll is to be handed to another replica, with Forwarded
// set; if that one is out of reach, to this one.
type ElsewhereError struct{ Replica id.UUID }

func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("replica %s gathers the pool's agents", e.Replica)
}

// As names the replica as others reach it. It must not be called after Start.
func (a *Advancer) As(replica id.UUID) { a.name = replica }

// elsewhere is where a poll belongs; nil: here.
func (a *Advancer) elsewhere(s *session, c *Poll) error {
	if c.Forwarded || c.Wait <= 0 || c.Draining || c.Free.Slots <= 0 {
		return nil
	}
	a.gatherings.mu.Lock()
	defer a.gatherings.mu.Unlock()
	g, known := a.gatherings.pools[s.pool]
	if !known || g.replica == a.name || time.Now().After(g.until) {
		return nil
	}
	return &ElsewhereError{Replica: g.replica}
}

// gather notes a gang for which too few wait here.
func (b *batch) gather(c *choose.Candidate, why choose.Why) {
	if c.Gang.Size > 1 && (why == choose.WhyNobody || why == choose.WhyReserved) && !b.a.alone() {
		b.gathers[c.Pool] = true
	}
}

const sqlGather = `
	SELECT pg_notify(@channel, @payload)`

// sayGathers tells the other replicas to hand over the polls of pools.
func (a *Advancer) sayGathers(ctx context.Context, pools map[id.UUID]bool) {
	var words strings.Builder
	now := time.Now()
	for pool := range pools {
		if a.leads(pool, now) {
			words.WriteString(" g" + pool.String())
		}
	}
	if words.Len() == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	a.running.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, connectWithin)
		defer cancel()
		if _, err := a.pool.Exec(ctx, sqlGather, args{"channel": channel, "payload": a.name.String() + words.String()}); err != nil {
			a.log.LogAttrs(ctx, slog.LevelWarn, "agents could not be gathered", slog.Any("error", err))
		}
	})
}

// leads reports whether this replica is to say now that it gathers.
func (a *Advancer) leads(pool id.UUID, now time.Time) bool {
	g := &a.gatherings
	g.mu.Lock()
	defer g.mu.Unlock()
	if other := g.pools[pool]; other.replica != a.name && now.Before(other.until) {
		return false
	}
	evict(g.pools, maxPools)
	g.pools[pool] = gathering{a.name, now.Add(gatherFor)}
	if now.Sub(g.said[pool]) < gatherEvery {
		return false
	}
	evict(g.said, maxPools)
	g.said[pool] = now
	return true
}

// heardGather notes that another replica gathers; who waits here for the pool
// asks again, and is handed over.
func (a *Advancer) heardGather(replica string, pool id.UUID) {
	other, err := uuid.Parse(replica)
	if err != nil {
		return
	}
	g, now := &a.gatherings, time.Now()
	g.mu.Lock()
	known := g.pools[pool]
	yields := known.replica == other || !now.Before(known.until) || other.String() < known.replica.String()
	if yields {
		evict(g.pools, maxPools)
		g.pools[pool] = gathering{other, now.Add(gatherFor)}
	}
	g.mu.Unlock()
	if yields {
		a.park.scatter(pool)
	}
}

// Lost forgets a replica that gathers: it is out of reach.
func (a *Advancer) Lost(replica id.UUID) {
	a.gatherings.mu.Lock()
	defer a.gatherings.mu.Unlock()
	for pool, g := range a.gatherings.pools {
		if g.replica == replica {
			delete(a.gatherings.pools, pool)
		}
	}
}
