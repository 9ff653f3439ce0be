package advance

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// channel carries the notifications of a batch, if it has any: NOTIFY takes a
// lock that all of the database's commits share.
const channel = "sb_work"

// maxNotified keeps a payload below PostgreSQL's 8,000 bytes.
const maxNotified = 190

const sqlNotify = `
	SELECT pg_notify(@channel, p)
	FROM unnest(@payloads::text[]) AS p`

func (b *batch) writeNotify(q *writer) {
	if b.a.alone() {
		return
	}
	var words, payloads []string
	for s := range b.wakeSessions {
		words = append(words, "s"+s.String())
	}
	for p := range b.wakePools {
		// Who waits here is asked by this replica itself.
		words = append(words, "p"+p.String())
	}
	for part := range slices.Chunk(words, maxNotified) {
		payloads = append(payloads, b.a.name.String()+" "+strings.Join(part, " "))
	}
	if len(payloads) > 0 {
		q.exec(sqlNotify, args{"channel": channel, "payloads": payloads})
	}
}

// alone reports whether no other replica listens.
func (a *Advancer) alone() bool { return a.peers != nil && a.peers() == 0 }

// startListening listens before anybody is served: who waits from then on misses
// nothing.
func (a *Advancer) startListening(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	conn, err := a.db.Listen(ctx, channel)
	if err != nil {
		return nil, fmt.Errorf("listen to the other replicas: %w", err)
	}
	return conn, nil
}

// listen turns the notifications of other replicas into looks and wakes, until
// ctx ends. A lost connection is made again; meanwhile the look of each second
// finds work, and orders wait.
func (a *Advancer) listen(ctx context.Context, conn *pgx.Conn) {
	var err error
	for {
		if err == nil {
			err = a.hear(ctx, conn)
		}
		if ctx.Err() != nil {
			return
		}
		a.log.LogAttrs(ctx, slog.LevelWarn, "listening was interrupted", slog.Any("error", err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		if conn, err = a.db.Listen(ctx, channel); err == nil {
			// Nobody knows what was said meanwhile: whoever waits asks again.
			a.park.wakeAll()
		}
	}
}

// hear hears until the connection breaks.
func (a *Advancer) hear(ctx context.Context, conn *pgx.Conn) error {
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
	if len(words) == 0 || words[0] == a.name.String() {
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
		case 'g':
			a.heardGather(words[0], u)
		}
	}
}
