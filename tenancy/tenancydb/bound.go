package tenancydb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/fault"
)

// How many of a thing there may be. No plan sells these: they are far beyond what
// anybody needs, and keep a script that runs wild, or somebody who means harm,
// from making rows without end. Two at once may pass a bound by one.
const (
	maxOrganizations = 50 // that one person owns
	maxWorkspaces    = 200
	maxInvitations   = 1000 // that wait
	maxKeys          = 500  // that live
	maxTokens        = 100  // of one person
)

const sqlCountOwned = `
	SELECT count(*)
	  FROM membership m
	 WHERE m.user_id = @user_id
	   AND m.role = 'owner'`

const sqlCountWorkspaces = `
	SELECT count(*)
	  FROM workspace w
	 WHERE w.org_id = @org_id`

const sqlCountInvitations = `
	SELECT count(*)
	  FROM invitation i
	 WHERE i.org_id = @org_id
	   AND i.state = 'pending'
	   AND i.expires_at > @now`

const sqlCountKeys = `
	SELECT count(*)
	  FROM api_key k
	 WHERE k.org_id = @org_id
	   AND k.revoked_at IS NULL
	   AND k.expires_at > @now`

const sqlCountPersonal = `
	SELECT count(*)
	  FROM personal_token t
	 WHERE t.user_id = @user_id`

// rowQuerier is a transaction or a pool.
type rowQuerier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// within refuses one more thing where there are most already. Its fault is
// QUOTA_EXCEEDED.
func within(ctx context.Context, q rowQuerier, query string, args pgx.StrictNamedArgs, most int, things string) error {
	var count int
	if err := q.QueryRow(ctx, query, args).Scan(&count); err != nil {
		return fmt.Errorf("count %s: %w", things, err)
	}
	if count >= most {
		return fault.ResourceExhausted(ReasonQuota, "there are %d %s, as many as there may be", count, things)
	}
	return nil
}
