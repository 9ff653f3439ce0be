package pg_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
)

// bundle is a database with one tenant table, as every migration makes them.
type bundle struct {
	*pg.DB
	ours, theirs uuid.UUID
}

func setup(t *testing.T) bundle {
	t.Helper()
	b := bundle{DB: pgtest.DB(t), ours: uuid.New(), theirs: uuid.New()}
	_, err := pgtest.Super(t, b.URL()).Exec(t.Context(), `
		SET ROLE sb_owner;
		CREATE TABLE thing (org_id uuid, name text, ids uuid[], PRIMARY KEY (org_id, name));
		ALTER TABLE thing ENABLE ROW LEVEL SECURITY;
		ALTER TABLE thing FORCE ROW LEVEL SECURITY;
		CREATE POLICY tenant ON thing TO sb_api
		  USING (org_id = (SELECT current_setting('app.org_id')::uuid))
		  WITH CHECK (org_id = (SELECT current_setting('app.org_id')::uuid));
		CREATE POLICY system ON thing TO sb_engine USING (true)`)
	require.NoError(t, err)
	return b
}

const insertThing = `INSERT INTO thing (org_id, name) VALUES (@org_id, @name)`

func (b bundle) insert(ctx context.Context, org, into uuid.UUID, name string) error {
	return pg.InTenant(ctx, b.API, org, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, insertThing, pgx.StrictNamedArgs{"org_id": into, "name": name})
		return err
	})
}

func (b bundle) names(t *testing.T, org uuid.UUID) (names []string) {
	t.Helper()
	require.NoError(t, pg.InTenantRead(t.Context(), b.API, org, func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), `SELECT name FROM thing ORDER BY name`)
		require.NoError(t, err)
		names, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	}))
	return names
}

func TestEachPoolWorksAsItsRole(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	for role, pool := range map[string]*pgxpool.Pool{pg.RoleAPI: db.API, pg.RoleEngine: db.Engine, pg.RoleAuth: db.Auth} {
		var user, path string
		const query = `SELECT current_user, current_setting('search_path')`
		_, err := pool.Exec(t.Context(), `RESET ROLE; RESET search_path`, pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err, "what a statement sets may be reset")
		require.NoError(t, pool.QueryRow(t.Context(), query).Scan(&user, &path))
		require.Equal(t, role, user)
		require.Equal(t, "sb", path)
	}
}

func TestNULIsUnstorable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	err := b.insert(t.Context(), b.ours, b.ours, "a\x00b")
	require.True(t, pg.Unstorable(err), "%v", err)
	err = pg.InTenant(t.Context(), b.API, b.ours, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `SELECT @text::jsonb ->> 'a'`, pgx.StrictNamedArgs{"text": `{"a": "\u0000"}`})
		return err
	})
	require.True(t, pg.Unstorable(err), "%v", err)
	require.False(t, pg.Unstorable(b.insert(t.Context(), b.ours, b.theirs, "x")))
	require.False(t, pg.Unstorable(nil))
}

func TestTenantSeesItsOwnRowsOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.insert(t.Context(), b.ours, b.ours, "ours"))
	require.NoError(t, b.insert(t.Context(), b.theirs, b.theirs, "theirs"))

	require.Equal(t, []string{"ours"}, b.names(t, b.ours))
	require.Equal(t, []string{"theirs"}, b.names(t, b.theirs))
	require.True(t, pg.Denied(b.insert(t.Context(), b.ours, b.theirs, "smuggled")))

	var all int
	require.NoError(t, pg.InSystem(t.Context(), b.Engine, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM thing`).Scan(&all)
	}))
	require.Equal(t, 2, all)
}

func TestForgettingTheTenantFailsLoudly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.insert(t.Context(), b.ours, b.ours, "x"))
	b.API.Reset() // Also on a connection that never had one.
	var n int
	require.Error(t, b.API.QueryRow(t.Context(), `SELECT count(*) FROM thing`).Scan(&n))
	require.NoError(t, b.insert(t.Context(), b.ours, b.ours, "y"))
	require.Error(t, b.API.QueryRow(t.Context(), `SELECT count(*) FROM thing`).Scan(&n), "after a transaction that had one")
}

func TestErrorAndPanicRollBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	errStop := errors.New("stop")
	attempt := func(end func() error) error {
		return pg.InTenant(t.Context(), b.API, b.ours, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), insertThing, pgx.StrictNamedArgs{"org_id": b.ours, "name": "x"})
			require.NoError(t, err)
			return end()
		})
	}
	require.Equal(t, errStop, attempt(func() error { return errStop }))
	require.Panics(t, func() { _ = attempt(func() error { panic("bug") }) })
	require.Empty(t, b.names(t, b.ours))
	require.Zero(t, b.API.Stat().AcquiredConns(), "no connection is lost")
}

func TestReadingRefusesWrites(t *testing.T) {
	t.Parallel()
	b := setup(t)
	err := pg.InTenantRead(t.Context(), b.API, b.ours, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), insertThing, pgx.StrictNamedArgs{"org_id": b.ours, "name": "x"})
		return err
	})
	require.ErrorContains(t, err, "read-only transaction")
}

func TestCanceledCallerLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := pg.InTenant(ctx, b.API, b.ours, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `SELECT pg_sleep(10)`)
		return err
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, b.insert(t.Context(), b.ours, b.ours, "x"))
}

func TestUUIDsTravelBothWays(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	type row struct {
		One  uuid.UUID
		None *uuid.UUID
		Some *uuid.UUID
		Many []uuid.UUID
		Text string
	}
	a, b := uuid.New(), uuid.New()
	rows, err := db.Engine.Query(t.Context(), `
		SELECT @a::uuid AS one, @none::uuid AS none, @b::uuid AS some, @many::uuid[] AS many, (@a::uuid)::text AS text`,
		pgx.StrictNamedArgs{"a": a, "none": (*uuid.UUID)(nil), "b": &b, "many": []uuid.UUID{a, b}})
	require.NoError(t, err)
	got, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[row])
	require.NoError(t, err)
	require.Equal(t, row{One: a, Some: &b, Many: []uuid.UUID{a, b}, Text: a.String()}, got)

	var one uuid.UUID
	require.Error(t, db.Engine.QueryRow(t.Context(), `SELECT NULL::uuid`).Scan(&one), "NULL is not the zero id")
}

func TestErrorsAreTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.insert(t.Context(), b.ours, b.ours, "x"))
	constraint, ok := pg.UniqueViolation(b.insert(t.Context(), b.ours, b.ours, "x"))
	require.True(t, ok)
	require.Equal(t, "thing_pkey", constraint)

	var name string
	err := b.Engine.QueryRow(t.Context(), `SELECT name FROM thing WHERE false`).Scan(&name)
	require.True(t, pg.NoRows(err))
	require.Equal(t, fault.KindNotFound, fault.KindOf(pg.NotFoundAs(err, fault.NotFound("thing", "x"))))
	require.NoError(t, pg.NotFoundAs(nil, fault.NotFound("thing", "x")))

	_, err = b.Engine.Exec(t.Context(), `DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$`)
	require.True(t, pg.Retryable(err))
	require.False(t, pg.OutcomeUnknown(err), "the server answered")
	require.True(t, pg.OutcomeUnknown(errors.New("connection reset")))
}

func TestRetryGivesUpAfterThree(t *testing.T) {
	t.Parallel()
	b := setup(t)
	times := 0
	err := pg.Retry(t.Context(), func() error {
		times++
		_, err := b.Engine.Exec(t.Context(), `DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$`)
		return err
	})
	require.True(t, pg.Retryable(err))
	require.Equal(t, 3, times)
}

func TestListenIsWoken(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	conn, err := db.Listen(t.Context(), "ready")
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	_, err = db.Engine.Exec(t.Context(), `SELECT pg_notify('ready', 'pool')`)
	require.NoError(t, err)
	n, err := conn.WaitForNotification(t.Context())
	require.NoError(t, err)
	require.Equal(t, "pool", n.Payload)
}
