package advance

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/dispatch/choose"
	"github.com/signalboxhq/signalbox/proto/id"
)

// look reads the head of a pool's queue for those who wait here.
type look struct {
	org, pool id.UUID
	classes   map[int64]Requirement // what is known to stand there; nil: anything
	depth     int32                 // how many looks led to this one
}

// maxDepth ends a row of looks that gave nothing to anybody: what they missed
// is found by the look of each second.
const maxDepth = 8

// and is one look in the place of two.
func (l look) and(m look) look {
	l.depth = min(l.depth, m.depth)
	l.classes = union(l.classes, m.classes)
	return l
}

// lookAgain asks for another look, after this batch.
func (b *batch) lookAgain(l look) {
	if h := b.heads[l.pool]; h != nil && h.granted == 0 {
		l.depth = h.depth + 1
	}
	if l.depth > maxDepth {
		return
	}
	if before, asked := b.again[l.pool]; asked {
		l = before.and(l)
	}
	b.again[l.pool] = l
}

// follow looks again where this batch may have left somebody without: a task
// that an agent could take which waits here and was not asked; a queue that goes
// on behind what was read; a class that was not known to stand there.
func (b *batch) follow(list []choose.Candidate, infos []candidate, taken []bool, pools map[id.UUID]choose.Pool) {
	type need struct {
		pool  id.UUID
		class int64
	}
	asked := map[need]bool{}
	for i := range list {
		c := &list[i]
		p, known := pools[c.Pool]
		full := known && (p.Paused || (p.Limited && int64(c.Need.Slots) > p.SlotsLeft))
		if taken[i] || full || asked[need{c.Pool, c.Class}] {
			continue
		}
		but := id.Nil
		if b.now.Before(c.AvoidUntil) {
			but = c.Avoid
		}
		if b.a.park.couldTake(c.Pool, c.Class, infos[i].req, but) {
			b.lookAgain(look{org: infos[i].key.Org, pool: c.Pool, classes: map[int64]Requirement{c.Class: infos[i].req}})
		}
		asked[need{c.Pool, c.Class}] = but == id.Nil
	}
	for i := range infos {
		if !infos[i].queued {
			continue
		}
		l := look{org: infos[i].key.Org, pool: list[i].Pool}
		h := b.heads[l.pool]
		switch {
		case b.a.seen.note(l.pool, infos[i].class, infos[i].req):
			b.lookAgain(l)
		case h.read >= h.limit && h.granted > 0:
			h.read = 0
			l.classes = b.a.seen.of(l.pool)
			b.lookAgain(l)
		}
	}
}

// lookAt reads the queue of a pool again if somebody waits here for it, or is
// about to.
func (a *Advancer) lookAt(pool id.UUID) {
	if ref, waits := a.park.hear(pool); waits {
		a.queue.look(look{org: ref.org, pool: ref.id})
	}
}

// The limit keeps it one look into the index for each pool.
const sqlPoolsWithWork = `
	SELECT k.org_id, k.pool_id
	FROM unnest(@orgs::uuid[], @pools::uuid[]) AS k (org_id, pool_id)
	CROSS JOIN LATERAL (
		SELECT 1
		FROM ready r
		WHERE r.org_id = k.org_id
			AND r.pool_id = k.pool_id
		LIMIT 1
	) h`

// lookAround looks at the pools for which somebody waits, each second: the net
// under every notification that was lost. Those whose queue is empty are left
// out first, without locks, so that idle agents cost next to nothing.
func (a *Advancer) lookAround(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := a.lookOnce(ctx); err != nil && ctx.Err() == nil {
				a.log.LogAttrs(ctx, slog.LevelWarn, "the queues could not be looked at", slog.Any("error", err))
			}
		}
	}
}

func (a *Advancer) lookOnce(ctx context.Context) error {
	var orgs, pools []id.UUID
	for _, ref := range a.park.pools() {
		orgs, pools = append(orgs, ref.org), append(pools, ref.id)
	}
	if len(pools) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	rows, err := a.pool.Query(ctx, sqlPoolsWithWork, pgx.StrictNamedArgs{"orgs": orgs, "pools": pools})
	if err != nil {
		return fmt.Errorf("look around: %w", err)
	}
	var ref poolRef
	_, err = pgx.ForEachRow(rows, []any{&ref.org, &ref.id}, func() error {
		a.queue.look(look{org: ref.org, pool: ref.id})
		return nil
	})
	return err
}
