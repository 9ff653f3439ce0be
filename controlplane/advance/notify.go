package advance

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

// channel carries one notification a batch at most: NOTIFY takes a lock that
// all of the database's commits share.
const channel = "sb_work"

// maxNotified bounds the payload below PostgreSQL's 8,000 bytes; what does not
// fit is found by the look that every replica takes each second.
const maxNotified = 190

func (b *batch) writeNotify(q *writer) {
	var words []string
	for s := range b.wakeSessions {
		words = append(words, "s"+s.String())
	}
	for p := range b.wakePools {
		// Who waits here was asked already, unless the pool's slots are full.
		words = append(words, "p"+p.String())
	}
	if len(words) == 0 || b.a.alone() {
		return
	}
	if len(words) > maxNotified {
		words = words[:maxNotified]
	}
	q.exec(sqlNotify, pgx.NamedArgs{"channel": channel, "payload": b.a.name + " " + strings.Join(words, " ")})
}

// alone reports whether no other replica listens.
func (a *Advancer) alone() bool { return a.peers != nil && a.peers() == 0 }

// Waker is told of agents that have news, by session.
type Waker interface {
	WakeSession(session id.UUID)
}

// listen turns the notifications of other replicas into looks and wakes, until
// ctx ends. A lost connection is made again; meanwhile the look of each second
// serves.
func (a *Advancer) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if err := a.listenOnce(ctx); err != nil && ctx.Err() == nil {
			a.log.LogAttrs(ctx, slog.LevelWarn, "listening was interrupted", slog.Any("error", err))
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

func (a *Advancer) listenOnce(ctx context.Context) error {
	conn, err := a.db.Listen(ctx, channel)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		a.heard(n.Payload)
	}
}

func (a *Advancer) heard(payload string) {
	words := strings.Fields(payload)
	if len(words) == 0 || words[0] == a.name {
		return
	}
	for _, w := range words[1:] {
		u, err := uuid.Parse(w[1:])
		if err != nil {
			continue
		}
		switch w[0] {
		case 's':
			a.park.wake(u)
		case 'p':
			a.lookAt(u)
		}
	}
}

// lookAt reads the queue of a pool again if somebody waits here for it.
func (a *Advancer) lookAt(pool id.UUID) {
	for _, ref := range a.park.pools() {
		if ref.id == pool {
			a.enqueue(&request{cmd: look{ref.org, ref.id}, done: make(chan result, 1)})
			return
		}
	}
}

// look reads the head of a pool's queue for those who wait here.
type look struct{ org, pool id.UUID }

// lookAround looks at all pools for which somebody waits, each second: the net
// under every notification that was lost.
func (a *Advancer) lookAround(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, ref := range a.park.pools() {
				a.enqueue(&request{cmd: look{ref.org, ref.id}, done: make(chan result, 1)})
			}
		}
	}
}
