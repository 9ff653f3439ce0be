package relay

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/grant"
	"github.com/signalboxhq/signalbox/internal/pg"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

const sqlInsertRequest = `
	INSERT INTO data_request (org_id, id, agent_id, request, expires_at)
	VALUES (@org_id, @id, @agent_id, @request, now() + @life::interval)
	ON CONFLICT (org_id, id) DO NOTHING`

const sqlNotifyData = `
	SELECT pg_notify(@channel, @payload)`

// ask leaves a request for the agent of a stream, and wakes its poll wherever it
// waits.
func (r *Relay) ask(ctx context.Context, s *stream, req *agentv1.DataRequest) error {
	encoded, err := proto.Marshal(req)
	if err != nil {
		return fmt.Errorf("encode data request: %w", err)
	}
	err = pg.InTenant(ctx, r.db.API, s.org, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sqlInsertRequest, pgx.StrictNamedArgs{
			"org_id": s.org, "id": s.id, "agent_id": s.agent, "request": encoded, "life": grant.Life,
		})
		if err != nil {
			return fmt.Errorf("insert data request: %w", err)
		}
		if _, err := tx.Exec(ctx, sqlNotifyData, pgx.StrictNamedArgs{"channel": channel, "payload": r.payload(s.agent)}); err != nil {
			return fmt.Errorf("notify of data request: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.inbox.tell(s.agent)
	return nil
}

const sqlDeleteRequest = `
	DELETE FROM data_request
	WHERE org_id = @org_id
		AND id = @id`

// withdraw takes a request back that no agent has answered. What it fails to
// remove expires.
func (r *Relay) withdraw(ctx context.Context, s *stream) {
	if s.answered() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := pg.InTenant(ctx, r.db.API, s.org, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sqlDeleteRequest, pgx.StrictNamedArgs{"org_id": s.org, "id": s.id})
		return err
	})
	if err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "a data request was left to expire", slog.Any("error", err))
	}
}

const sqlTakeRequests = `
	DELETE FROM data_request
	WHERE org_id = @org_id
		AND agent_id = @agent_id
	RETURNING request, expires_at > now()`

// Take removes and returns what is asked of an agent. It asks the database only
// if there was news of the agent since the last time.
func (r *Relay) Take(ctx context.Context, org, agent id.UUID) ([]*agentv1.DataRequest, error) {
	if !r.inbox.take(agent) {
		return nil, nil
	}
	rows, err := r.db.Engine.Query(ctx, sqlTakeRequests, pgx.StrictNamedArgs{"org_id": org, "agent_id": agent})
	if err != nil {
		r.inbox.tell(agent)
		return nil, fmt.Errorf("take data requests: %w", err)
	}
	var out []*agentv1.DataRequest
	var encoded []byte
	var live bool
	_, err = pgx.ForEachRow(rows, []any{&encoded, &live}, func() error {
		req := &agentv1.DataRequest{}
		if err := proto.Unmarshal(encoded, req); err != nil {
			return fmt.Errorf("decode data request: %w", err)
		}
		if live {
			out = append(out, req)
		}
		return nil
	})
	if err != nil {
		r.inbox.tell(agent)
		return nil, fmt.Errorf("take data requests: %w", err)
	}
	return out, nil
}

// Watch returns a channel that is closed when something new is asked of the
// agent, at whichever replica. cancel must be called.
func (r *Relay) Watch(agent id.UUID) (news <-chan struct{}, cancel func()) {
	return r.inbox.watch(agent)
}
