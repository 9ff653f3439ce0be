package replica

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
)

const (
	beatEvery = 3 * time.Second
	// aliveFor is how long a replica that has gone silent counts as alive.
	aliveFor = 5 * beatEvery
	// keptFor is when its row goes. Much later: after an outage of the database
	// all replicas look silent, and their streams live on.
	keptFor = 20 * aliveFor
)

// peer is another replica.
type peer struct {
	address string
	alive   bool
}

const sqlBeat = `
	INSERT INTO replica (id, address, seen)
	VALUES (@id, @address, now())
	ON CONFLICT (id) DO UPDATE
	SET address = EXCLUDED.address, seen = now()`

// SKIP LOCKED: two replicas that sweep at once, each holding its own row, would
// wait for each other.
const sqlSweepReplicas = `
	DELETE FROM replica
	WHERE id IN (
		SELECT id
		FROM replica
		WHERE seen < now() - @kept::interval
		FOR UPDATE SKIP LOCKED
	)`

const sqlReadPeers = `
	SELECT id, address, seen > now() - @alive::interval
	FROM replica
	WHERE id <> @id`

// beat says that this replica lives and reads who else does, in one round trip.
func (r *Replica) beat(ctx context.Context) error {
	peers := map[id.UUID]peer{}
	var q pgx.Batch
	q.Queue(sqlBeat, pgx.StrictNamedArgs{"id": r.id, "address": r.address})
	q.Queue(sqlSweepReplicas, pgx.StrictNamedArgs{"kept": keptFor})
	q.Queue(sqlReadPeers, pgx.StrictNamedArgs{"alive": aliveFor, "id": r.id}).Query(func(rows pgx.Rows) error {
		var other id.UUID
		var p peer
		_, err := pgx.ForEachRow(rows, []any{&other, &p.address, &p.alive}, func() error {
			peers[other] = p
			return nil
		})
		return err
	})
	if err := r.config.Engine.SendBatch(ctx, &q).Close(); err != nil {
		return fmt.Errorf("register the replica: %w", err)
	}
	r.peers.Store(&peers)
	return nil
}

func (r *Replica) keepBeating(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := r.beat(ctx); err != nil && ctx.Err() == nil {
				r.log.LogAttrs(ctx, slog.LevelWarn, "the replica was not registered", slog.Any("error", err))
			}
		}
	}
}

const sqlLeave = `
	DELETE FROM replica
	WHERE id = @id`

func (r *Replica) leave(ctx context.Context) error {
	_, err := r.config.Engine.Exec(ctx, sqlLeave, pgx.StrictNamedArgs{"id": r.id})
	return err
}

// Peers counts the other replicas that live, as of a few seconds ago. It costs
// nothing.
func (r *Replica) Peers() int {
	n := 0
	for _, p := range *r.peers.Load() {
		if p.alive {
			n++
		}
	}
	return n
}

const sqlReadReplica = `
	SELECT address, seen > now() - @alive::interval
	FROM replica
	WHERE id = @id`

// find looks a replica up; one that started just now is not in the cache yet.
// Errors: ErrGone.
func (r *Replica) find(ctx context.Context, other id.UUID) (peer, error) {
	if p, ok := (*r.peers.Load())[other]; ok && p.alive {
		return p, nil
	}
	return r.read(ctx, other)
}

func (r *Replica) read(ctx context.Context, other id.UUID) (peer, error) {
	var p peer
	err := r.config.Engine.QueryRow(ctx, sqlReadReplica, pgx.StrictNamedArgs{"id": other, "alive": aliveFor}).Scan(&p.address, &p.alive)
	if pg.NoRows(err) {
		return p, ErrGone
	}
	if err != nil {
		return p, fmt.Errorf("find replica: %w", err)
	}
	return p, nil
}
