package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli"
	"github.com/signalboxhq/signalbox/controlplane/migrations"
	"github.com/signalboxhq/signalbox/internal/pgtest"
)

func TestDoctorCountsAndExits(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	var out bytes.Buffer
	require.NoError(t, examine(t.Context(), url, &out))
	require.Equal(t, "0 differences\n", out.String())

	_, err := pgtest.Super(t, url).Exec(t.Context(), `GRANT TRUNCATE ON run TO sb_api`)
	require.NoError(t, err)
	out.Reset()
	err = examine(t.Context(), url, &out)
	require.Equal(t, "schema: sb.run: sb_api has TRUNCATE.\n1 difference\n", out.String())
	require.Equal(t, 1, cli.ExitCode(err))

	out.Reset()
	err = repairAll(t.Context(), url, &out)
	const left = "schema: sb.run: sb_api has TRUNCATE.\n"
	require.Equal(t, left+"what is left:\n"+left+"1 difference\n", out.String())
	require.Equal(t, 1, cli.ExitCode(err))
}

func TestDoctorWantsAMigratedDatabase(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	const never = "this database was not migrated; start a server on it first"
	empty := pgtest.Empty(t)
	require.EqualError(t, examine(t.Context(), empty, &out), never)
	_, err := pgtest.Super(t, empty).Exec(t.Context(), migrations.Roles())
	require.NoError(t, err)
	require.EqualError(t, examine(t.Context(), empty, &out), never, "roles and a schema are no migration")
	var relations int
	require.NoError(t, pgtest.Super(t, empty).QueryRow(t.Context(),
		`SELECT count(*) FROM pg_class WHERE relnamespace = 'sb'::regnamespace`).Scan(&relations))
	require.Zero(t, relations, "it changes nothing")

	url := pgtest.URL(t)
	_, err = pgtest.Super(t, url).Exec(t.Context(), `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
	require.NoError(t, err)
	err = examine(t.Context(), url, &out)
	require.ErrorContains(t, err, "not migrated to this release")
	require.Equal(t, 1, cli.ExitCode(err))
	require.Empty(t, out.String())
}
