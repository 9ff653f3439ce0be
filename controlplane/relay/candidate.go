package relay

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// candidate is an agent that may have the answer.
type candidate struct {
	id      id.UUID
	name    string
	revoked bool
	online  bool
	seen    time.Time // zero: never
}

// place is where the caller asks.
type place struct{ org, workspace id.UUID }

const sqlFindRun = `
	SELECT true
	FROM run
	WHERE org_id = @org_id
		AND workspace_id = @workspace_id
		AND id = @run_id`

// choose finds the agent that can answer and is online. tx must be the caller's
// organization's. Errors: NOT_FOUND, NO_AGENT_ONLINE, DATA_GONE.
func choose(ctx context.Context, tx pgx.Tx, p place, q question) (candidate, error) {
	var found bool
	err := tx.QueryRow(ctx, sqlFindRun, pgx.StrictNamedArgs{"org_id": p.org, "workspace_id": p.workspace, "run_id": q.run}).Scan(&found)
	if pg.NoRows(err) {
		return candidate{}, fault.NotFound("run", id.Format(id.Run, q.run))
	}
	if err != nil {
		return candidate{}, fmt.Errorf("find run: %w", err)
	}
	if q.kind == relayv1.DataKind_DATA_KIND_VALUES {
		return chooseHolder(ctx, tx, p)
	}
	return findKeeper(ctx, tx, p.org, q)
}

// An attempt is a lease while it lives, and an entry once it has ended.
const sqlFindAttempt = `
	SELECT a.agent_id
	FROM (
		SELECT agent_id, attempt, rank
		FROM lease
		WHERE org_id = @org_id
			AND run_id = @run_id
			AND path = @task
		UNION ALL
		SELECT agent_id, attempt, 0
		FROM journal
		WHERE org_id = @org_id
			AND run_id = @run_id
			AND kind = 'attempt_ended'
			AND path = @task
			AND agent_id IS NOT NULL
	) a
	WHERE @attempt::int = 0
		OR a.attempt = @attempt::int
	ORDER BY a.attempt DESC, a.rank
	LIMIT 1`

const sqlReadCandidate = `
	SELECT a.id, a.name, a.revoked_at IS NOT NULL, coalesce(bool_or(NOT s.ended), false),
		greatest(a.session_until, max(s.expires_at)), now()
	FROM agent a
	LEFT JOIN session s ON s.org_id = a.org_id AND s.agent_id = a.id
	WHERE a.org_id = @org_id
		AND a.id = @agent_id
	GROUP BY a.org_id, a.id`

// findKeeper finds the agent that keeps the log of an attempt: the one that ran
// it.
func findKeeper(ctx context.Context, tx pgx.Tx, org id.UUID, q question) (candidate, error) {
	var agent id.UUID
	err := tx.QueryRow(ctx, sqlFindAttempt, pgx.StrictNamedArgs{
		"org_id": org, "run_id": q.run, "task": q.task, "attempt": int32(q.attempt),
	}).Scan(&agent)
	if pg.NoRows(err) {
		return candidate{}, errNoAttempt(q.task, q.attempt)
	}
	if err != nil {
		return candidate{}, fmt.Errorf("find attempt: %w", err)
	}
	c, err := readCandidate(tx.QueryRow(ctx, sqlReadCandidate, pgx.StrictNamedArgs{"org_id": org, "agent_id": agent}))
	switch {
	case pg.NoRows(err):
		return c, errDataGone(id.Format(id.Agent, agent))
	case err != nil:
		return c, fmt.Errorf("read agent: %w", err)
	case c.revoked:
		return c, errDataGone(c.name)
	case !c.online:
		return c, errAgentOffline(c.name, c.seen)
	}
	return c, nil
}

// Where nothing was ever sealed, any agent will do. A draining agent may be gone
// before it has answered.
const sqlChooseHolder = `
	SELECT a.id, a.name, false, true, s.expires_at, now()
	FROM session s
	JOIN agent a ON a.org_id = s.org_id AND a.id = s.agent_id
	JOIN workspace w ON w.org_id = s.org_id AND w.id = s.workspace_id
	WHERE s.org_id = @org_id
		AND s.workspace_id = @workspace_id
		AND NOT s.ended
		AND a.revoked_at IS NULL
		AND (w.sealing_kid IS NULL OR w.sealing_kid = ANY (s.sealing_kids))
	ORDER BY s.draining, s.expires_at DESC
	LIMIT 1`

const sqlReadLastSeen = `
	SELECT a.id, a.name, false, coalesce(bool_or(NOT s.ended), false), greatest(a.session_until, max(s.expires_at)) AS until, now()
	FROM agent a
	LEFT JOIN session s ON s.org_id = a.org_id AND s.agent_id = a.id
	WHERE a.org_id = @org_id
		AND a.workspace_id = @workspace_id
		AND a.revoked_at IS NULL
	GROUP BY a.org_id, a.id
	ORDER BY until DESC NULLS LAST
	LIMIT 1`

// chooseHolder finds an agent that holds the workspace's sealing key.
func chooseHolder(ctx context.Context, tx pgx.Tx, p place) (candidate, error) {
	args := pgx.StrictNamedArgs{"org_id": p.org, "workspace_id": p.workspace}
	c, err := readCandidate(tx.QueryRow(ctx, sqlChooseHolder, args))
	if err == nil {
		return c, nil
	}
	if !pg.NoRows(err) {
		return c, fmt.Errorf("choose an agent that holds the key: %w", err)
	}
	last, err := readCandidate(tx.QueryRow(ctx, sqlReadLastSeen, args))
	switch {
	case pg.NoRows(err):
		return c, errNobodyToOpen(nil)
	case err != nil:
		return c, fmt.Errorf("read the agent seen last: %w", err)
	}
	return c, errNobodyToOpen(&last)
}

// readCandidate reads an agent and works out when it was last seen: the life of
// a session before its last one runs out.
func readCandidate(row pgx.Row) (candidate, error) {
	var c candidate
	var until *time.Time
	var now time.Time
	if err := row.Scan(&c.id, &c.name, &c.revoked, &c.online, &until, &now); err != nil {
		return c, err
	}
	if until != nil {
		c.seen = until.Add(-advance.SessionTTL)
		if c.seen.After(now) {
			c.seen = now
		}
	}
	return c, nil
}
