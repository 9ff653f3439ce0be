package agentdb_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/agentdb"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

func join(t *testing.T, db *pg.DB) agentdb.Agent {
	t.Helper()
	a := agentdb.Agent{Org: id.New(), ID: id.New(), Workspace: id.New()}
	args := pgx.NamedArgs{"org": a.Org, "ws": a.Workspace, "agent": a.ID, "key": make([]byte, 32)}
	for _, sql := range []string{
		`INSERT INTO organization (org_id, slug, name) VALUES (@org, 'acme', 'Acme')`,
		`INSERT INTO workspace (org_id, id, slug, name) VALUES (@org, @ws, 'default', 'Default')`,
		`INSERT INTO agent (org_id, id, workspace_id, pool_id, name, public_key, join_token_id)
			SELECT @org, @agent, @ws, id, 'a', @key, @agent FROM pool WHERE org_id = @org`,
	} {
		_, err := db.Engine.Exec(t.Context(), sql, args)
		require.NoError(t, err)
	}
	require.NoError(t, db.Engine.QueryRow(t.Context(), `SELECT pool_id FROM agent`).Scan(&a.Pool))
	return a
}

func open(ctx context.Context, db *pg.DB, a agentdb.Agent, s agentdb.Session) error {
	return pg.InSystem(ctx, db.Engine, func(tx pgx.Tx) error {
		_, err := agentdb.OpenSession(ctx, tx, a, s, time.Minute)
		return err
	})
}

func count(t *testing.T, db *pg.DB, where string) (n int) {
	t.Helper()
	require.NoError(t, db.Engine.QueryRow(t.Context(), `SELECT count(*) FROM session WHERE `+where).Scan(&n))
	return n
}

// A session that is opened while its agent is being revoked must be ended by the
// revocation, or never be.
func TestARevocationAndANewSessionSeeEachOther(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	a := join(t, db)
	super := pgtest.Super(t, db.URL())
	tx, err := super.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `UPDATE agent SET revoked_at = now()`)
	require.NoError(t, err)
	failed := make(chan error, 1)
	go func() { failed <- open(t.Context(), db, a, agentdb.Session{ID: id.New(), Slots: 1}) }()
	require.Eventually(t, func() bool {
		var waits bool
		err := db.Engine.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE a.datname = current_database() AND NOT l.granted)`).Scan(&waits)
		return err == nil && waits
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, fault.Reason("AGENT_REVOKED"), fault.ReasonOf(<-failed))
	require.Zero(t, count(t, db, "true"))
}

func TestASessionThatIsReplacedIsEnded(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	a := join(t, db)
	first, second := agentdb.Session{ID: id.New(), Slots: 1}, agentdb.Session{ID: id.New(), Slots: 1}
	require.NoError(t, open(t.Context(), db, a, first))
	second.Replaces = first.ID
	require.NoError(t, open(t.Context(), db, a, second))
	require.Equal(t, 1, count(t, db, "ended"))
	require.Equal(t, 1, count(t, db, "NOT ended"))

	other := a
	other.ID = id.New()
	_, err := db.Engine.Exec(t.Context(), `INSERT INTO agent (org_id, id, workspace_id, pool_id, name, public_key, join_token_id)
		SELECT org_id, $1, workspace_id, pool_id, 'b', decode(repeat('01', 32), 'hex'), $1 FROM agent`, other.ID)
	require.NoError(t, err)
	require.NoError(t, open(t.Context(), db, other, agentdb.Session{ID: id.New(), Slots: 1, Replaces: second.ID}))
	require.Equal(t, 2, count(t, db, "NOT ended"), "nobody ends another's session")
}
