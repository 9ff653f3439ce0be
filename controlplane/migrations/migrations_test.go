package migrations_test

import (
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/migrations"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
)

func TestReplicasMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	database := pgtest.Empty(t)
	results := make(chan error)
	for range 3 {
		go func() { results <- migrations.Up(t.Context(), database) }()
	}
	for range 3 {
		require.NoError(t, <-results)
	}
	pending, err := migrations.Pending(t.Context(), database)
	require.NoError(t, err)
	require.False(t, pending)
}

func TestDownTakesEverythingBack(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	require.NoError(t, migrations.Down(t.Context(), database, 0))
	const query = `
		SELECT c.relname FROM pg_class c
		 WHERE c.relnamespace = 'sb'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
		   AND c.relname NOT LIKE 'goose_db_version%'`
	rows, err := pgtest.Super(t, database).Query(t.Context(), query)
	require.NoError(t, err)
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Empty(t, left)
	require.NoError(t, migrations.Up(t.Context(), database), "and up again")
}

// TestPlainOwnerMayMigrate is the case of managed PostgreSQL: the user owns the
// database and may create roles, but is no superuser.
func TestPlainOwnerMayMigrate(t *testing.T) {
	t.Parallel()
	database := pgtest.Empty(t)
	super := pgtest.Super(t, database)
	name := "plain_" + super.Config().Database
	quoted := pgx.Identifier{name}.Sanitize()
	for _, sql := range []string{
		"CREATE ROLE " + quoted + " LOGIN CREATEROLE PASSWORD 'plain'",
		"ALTER DATABASE " + pgx.Identifier{super.Config().Database}.Sanitize() + " OWNER TO " + quoted,
	} {
		_, err := super.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	u, err := url.Parse(database)
	require.NoError(t, err)
	u.User = url.UserPassword(name, "plain")

	require.NoError(t, migrations.Up(t.Context(), u.String()))
	db, err := pg.Open(t.Context(), pg.Config{URL: u.String()})
	require.NoError(t, err)
	db.Close()

	_, err = super.Exec(t.Context(), "REASSIGN OWNED BY "+quoted+" TO CURRENT_USER; DROP OWNED BY "+quoted+"; DROP ROLE "+quoted)
	require.NoError(t, err)
}

func TestRolesHaveTheRightsTheyShould(t *testing.T) {
	t.Parallel()
	conn := pgtest.Super(t, pgtest.URL(t))
	_, err := conn.Exec(t.Context(), `SET ROLE sb_owner; CREATE TABLE fresh (id int); RESET ROLE`)
	require.NoError(t, err)
	const query = `
		SELECT coalesce(string_agg(privilege_type, ' ' ORDER BY privilege_type), '')
		  FROM information_schema.role_table_grants
		 WHERE table_schema = 'sb' AND table_name = @name AND grantee = @role`
	for _, c := range []struct{ table, role, want string }{
		{"fresh", pg.RoleAPI, "DELETE INSERT SELECT UPDATE"},
		{"fresh", pg.RoleEngine, "DELETE INSERT SELECT UPDATE"},
		{"fresh", pg.RoleAuth, ""},
		{"goose_db_version", pg.RoleAPI, ""},
		{"goose_db_version", pg.RoleEngine, ""},
	} {
		var got string
		require.NoError(t, conn.QueryRow(t.Context(), query, pgx.StrictNamedArgs{"name": c.table, "role": c.role}).Scan(&got))
		require.Equal(t, c.want, got, "%s on %s", c.role, c.table)
	}
}
