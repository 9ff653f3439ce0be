package advance

import (
	"context"
	"log/slog"
	"time"

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
// on behind what was read.
func (b *batch) follow(list []choose.Candidate, infos []candidate, why []choose.Why) {
	type need struct {
		pool  id.UUID
		class int64
	}
	asked := map[need]bool{}
	for i := range list {
		c := &list[i]
		b.gather(c, why[i])
		if ref := (poolRef{infos[i].key.Org, c.Pool}); why[i] == choose.WhyLimit {
			if wait := b.dryFor(&infos[i], b.workspaceOf(c.Pool)); wait > 0 && (b.dry[ref] == 0 || wait < b.dry[ref]) {
				b.dry[ref] = wait
			}
		}
		if why[i] != choose.WhyNobody || asked[need{c.Pool, c.Class}] {
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
	for pool, h := range b.heads {
		for _, r := range h.reads {
			if r.got >= r.limit && h.granted > 0 {
				b.lookAgain(look{org: b.orgOf(pool), pool: pool})
				break
			}
		}
	}
}

// lookAt reads the queues of a pool again if somebody waits here for it, or is
// about to: there is more in it than is known here.
func (a *Advancer) lookAt(pool id.UUID) {
	a.directory.doubt(pool)
	if ref, waits := a.park.hear(pool); waits {
		a.queue.look(look{org: ref.org, pool: ref.id})
	}
}

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
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	if err := a.renewSettings(ctx); err != nil {
		return err
	}
	refs := a.park.pools()
	if len(refs) == 0 {
		return nil
	}
	if err := a.findQueues(ctx, a.pool, refs); err != nil {
		return err
	}
	for _, ref := range refs {
		if len(a.directory.classes(ref.id)) > 0 {
			a.queue.look(look{org: ref.org, pool: ref.id})
		}
	}
	return nil
}
