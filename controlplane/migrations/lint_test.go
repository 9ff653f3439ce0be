package migrations_test

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/migrations"
	"github.com/signalboxhq/signalbox/internal/pgtest"
)

// withoutTenant are the tables that belong to no organization: what sb_api may
// do with them, which no row-level policy narrows, and why.
var withoutTenant = map[string]struct{ api, why string }{
	"email_token":      {"", "of a person who may not have an account yet"},
	"goose_db_version": {"", "which migrations were applied"},
	"login_session":    {"", "of a person, before any organization is chosen"},
	"personal_token":   {"", "of a person, for all of their organizations"},
	"price_plan":       {"SELECT", "the price book, the same for everybody"},
	"price_tier":       {"SELECT", "the price book, the same for everybody"},
	"reaper":           {"", "one row: when the server last looked for expired sessions"},
	"replica":          {"", "the server's processes"},
	"server_key":       {"", "signs what the server says to agents"},
	"throttle":         {"", "hashes of addresses and accounts"},
	"users":            {"", "a person may belong to many organizations"},
}

func TestSchemaHasNoFault(t *testing.T) {
	t.Parallel()
	faults, err := migrations.Lint(t.Context(), pgtest.Super(t, pgtest.URL(t)))
	require.NoError(t, err)
	for _, f := range faults {
		require.True(t, f.Accepted(), "%s: %s", f.Place, f.Fault)
	}
}

func TestTablesWithoutTenantAreListed(t *testing.T) {
	t.Parallel()
	const query = `
		SELECT c.relname,
		       coalesce((SELECT string_agg(privilege_type, ' ' ORDER BY privilege_type)
		                   FROM information_schema.role_table_grants
		                  WHERE table_schema = 'sb' AND table_name = c.relname AND grantee = 'sb_api'), '') AS api
		  FROM pg_class c
		 WHERE c.relnamespace = 'sb'::regnamespace AND c.relkind IN ('r', 'p')
		   AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped)
		 ORDER BY c.relname`
	rows, err := pgtest.Super(t, pgtest.URL(t)).Query(t.Context(), query)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct{ Relname, API string }])
	require.NoError(t, err)
	for _, table := range tables {
		want, listed := withoutTenant[table.Relname]
		require.True(t, listed, "table %s has no org_id: give it one, or list it here", table.Relname)
		require.Equal(t, want.api, table.API, "what sb_api may do with %s", table.Relname)
	}
}

// Row-level security is forced on the owner too: as sb_owner a step changes no
// row, and says nothing. The steps of before this was noticed are passed over.
func TestStepsThatMoveRowsAreTheEngines(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(migrations.FS(), "*.sql")
	require.NoError(t, err)
	moves := regexp.MustCompile(`(?m)^(UPDATE|DELETE FROM|INSERT INTO|WITH)\b`)
	seen := 0
	for _, name := range files {
		text, err := fs.ReadFile(migrations.FS(), name)
		require.NoError(t, err)
		up, down, found := strings.Cut(string(text), "-- +goose Down")
		require.True(t, found, name)
		for _, half := range []string{up, down} {
			at := moves.FindStringIndex(half)
			if at == nil || name < "00195" {
				continue
			}
			seen++
			require.Contains(t, half[:at[0]], "SET LOCAL ROLE sb_engine;", name)
		}
	}
	require.NotZero(t, seen)
}

// TestLintFindsPlantedFaults plants each fault alone and expects it by name, so
// that a check that finds nothing is known to work.
func TestLintFindsPlantedFaults(t *testing.T) {
	t.Parallel()
	const (
		table  = `CREATE TABLE planted (org_id uuid, id uuid, PRIMARY KEY (org_id, id));`
		secure = `ALTER TABLE planted ENABLE ROW LEVEL SECURITY; ALTER TABLE planted FORCE ROW LEVEL SECURITY;`
	)
	for name, c := range map[string]struct{ sql, fault, place string }{
		"no row-level security": {table, "table without forced row-level security", "planted"},
		"not forced": {
			table + `ALTER TABLE planted ENABLE ROW LEVEL SECURITY`,
			"table without forced row-level security", "planted",
		},
		"partition": {
			`CREATE TABLE planted (org_id uuid, id uuid, PRIMARY KEY (org_id, id)) PARTITION BY RANGE (id);` + secure +
				`CREATE TABLE planted_1 PARTITION OF planted DEFAULT`,
			"table without forced row-level security", "planted_1",
		},
		"policy without sub-select": {
			table + secure + `CREATE POLICY tenant ON planted TO sb_api USING (org_id = current_setting('app.org_id')::uuid)`,
			"policy of sb_api is not org_id = (SELECT current_setting(…)::uuid)", "planted.tenant",
		},
		"policy that lets a missing setting pass": {
			table + secure + `CREATE POLICY tenant ON planted TO sb_api USING (org_id = (SELECT NULLIF(current_setting('app.org_id', true), '')::uuid))`,
			"policy of sb_api is not org_id = (SELECT current_setting(…)::uuid)", "planted.tenant",
		},
		"write policy": {
			table + secure + `CREATE POLICY tenant ON planted FOR INSERT TO sb_api WITH CHECK (true)`,
			"policy of sb_api is not org_id = (SELECT current_setting(…)::uuid)", "planted.tenant",
		},
		"policy for everybody": {
			table + secure + `CREATE POLICY tenant ON planted USING (org_id = (SELECT current_setting('app.org_id')::uuid))`,
			"policy for a role that may not have one", "planted.tenant",
		},
		"foreign key": {
			table + secure + `CREATE UNIQUE INDEX planted_id ON planted (id);
			CREATE TABLE child (org_id uuid, id uuid PRIMARY KEY, parent uuid REFERENCES planted (id))`,
			"foreign key between tenants' tables without org_id: child_parent_fkey", "child",
		},
		"unique constraint": {
			`CREATE TABLE planted (org_id uuid, id uuid PRIMARY KEY);` + secure,
			"unique index without org_id", "planted_pkey",
		},
		"unique index": {
			table + secure + `CREATE UNIQUE INDEX planted_id ON planted (id)`,
			"unique index without org_id", "planted_id",
		},
		"view": {`CREATE VIEW planted AS SELECT 1 AS x`, "view without security_invoker", "planted"},
		"materialized view": {
			`CREATE MATERIALIZED VIEW planted AS SELECT 1 AS x`,
			"materialized view: it has no row-level security", "planted",
		},
		"definer function": {
			`CREATE FUNCTION planted() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'`,
			"security definer function without search_path", "planted()",
		},
		"enum index": {
			`CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE planted (m mood); CREATE INDEX planted_m ON planted (m)`,
			"index on m, whose type mood is not leakproof", "planted_m",
		},
		"numeric index": {
			`CREATE TABLE planted (n numeric PRIMARY KEY)`,
			"index on n, whose type numeric is not leakproof", "planted_pkey",
		},
		"owned by another":  {`RESET ROLE; CREATE TABLE planted (id uuid)`, "owned by postgres instead of sb_owner", "planted"},
		"too many rights":   {`CREATE TABLE planted (id uuid); GRANT TRUNCATE ON planted TO sb_api`, "sb_api has TRUNCATE", "sb.planted"},
		"rights for public": {`CREATE TABLE planted (id uuid); GRANT SELECT ON planted TO PUBLIC`, "PUBLIC has SELECT", "sb.planted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := pgtest.Super(t, pgtest.URL(t))
			_, err := conn.Exec(t.Context(), "SET ROLE sb_owner; "+c.sql)
			require.NoError(t, err)
			faults, err := migrations.Lint(t.Context(), conn)
			require.NoError(t, err)
			require.Contains(t, faults, migrations.Fault{Fault: c.fault, Place: c.place})
		})
	}
}
