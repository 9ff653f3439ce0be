package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

// channel tells the other replicas of whom something is asked.
const channel = "sb_data"

// sweepEvery is also how late a request is found whose notification was lost.
const sweepEvery = 5 * time.Second

// payload names the sender, which has told itself, and the agent.
func (r *Relay) payload(agent id.UUID) string { return r.replica.ID().String() + " " + agent.String() }

// listen tells the inbox what is asked at other replicas, until ctx ends. A lost
// connection is made again.
func (r *Relay) listen(ctx context.Context, conn *pgx.Conn) {
	for {
		err := r.hear(ctx, conn)
		for conn = nil; conn == nil && ctx.Err() == nil; {
			r.log.LogAttrs(ctx, slog.LevelWarn, "listening was interrupted", slog.Any("error", err))
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
				conn, err = r.tune(ctx)
			}
		}
		if conn == nil {
			return
		}
	}
}

// tune begins to listen, and finds what was asked while nobody did.
func (r *Relay) tune(ctx context.Context) (*pgx.Conn, error) {
	conn, err := r.db.Listen(ctx, channel)
	if err != nil {
		return nil, err
	}
	if err := r.look(ctx); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

func (r *Relay) hear(ctx context.Context, conn *pgx.Conn) error {
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		r.heard(n.Payload)
	}
}

func (r *Relay) heard(payload string) {
	sender, agent, _ := strings.Cut(payload, " ")
	if sender == r.replica.ID().String() {
		return
	}
	if u, err := uuid.Parse(agent); err == nil {
		r.inbox.tell(u)
	}
}

const sqlAskedAgents = `
	SELECT DISTINCT agent_id
	FROM data_request`

// look finds every agent of whom something is asked. The table is nearly empty
// at all times: a request waits there for one poll.
func (r *Relay) look(ctx context.Context) error {
	rows, err := r.db.Engine.Query(ctx, sqlAskedAgents)
	if err != nil {
		return fmt.Errorf("look for data requests: %w", err)
	}
	agents, err := pgx.CollectRows(rows, pgx.RowTo[id.UUID])
	if err != nil {
		return fmt.Errorf("look for data requests: %w", err)
	}
	for _, agent := range agents {
		r.inbox.tell(agent)
	}
	return nil
}

const sqlSweepRequests = `
	DELETE FROM data_request
	WHERE expires_at < now()`

// Sweep removes the requests that nobody took in time, and looks for those whose
// notification was lost.
func (r *Relay) Sweep(ctx context.Context) error {
	r.inbox.sweep()
	r.quota.sweep()
	if _, err := r.db.Engine.Exec(ctx, sqlSweepRequests); err != nil {
		return fmt.Errorf("sweep data requests: %w", err)
	}
	return r.look(ctx)
}

func (r *Relay) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := r.Sweep(ctx); err != nil && ctx.Err() == nil {
				r.log.LogAttrs(ctx, slog.LevelWarn, "sweeping was interrupted", slog.Any("error", err))
			}
		}
	}
}
