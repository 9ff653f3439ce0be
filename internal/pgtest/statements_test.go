package pgtest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pgtest"
)

// TestEveryStatementPrepares has PostgreSQL parse and plan every SQL constant
// of the repository against the migrated schema: a column that was renamed, a
// missing cast or a typing error is reported by the name of the constant.
func TestEveryStatementPrepares(t *testing.T) {
	t.Parallel()
	statements, err := pgtest.Statements("../..")
	require.NoError(t, err)
	require.NotEmpty(t, statements)
	conn := pgtest.Super(t, pgtest.URL(t))
	for _, s := range statements {
		sql, _, err := pgx.NamedArgs{}.RewriteQuery(t.Context(), conn, s.SQL, nil)
		require.NoError(t, err, "%s %s", s.Pos, s.Name)
		if _, err := conn.Prepare(t.Context(), "", sql); err != nil {
			t.Errorf("%s: %s: %v", s.Pos, s.Name, err)
		}
	}
}

func TestStatementsAreFoundAndPutTogether(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "a/a.go", "package a\n\nconst columns = `id, name`\n\nconst (\n\tsqlList = `SELECT ` + columns + `\n\tFROM a`\n\tsqlite = `no`\n\tnothing = 1\n)\n")
	write(t, root, "a/a_test.go", "package a\n\nconst sqlTest = `no`\n")
	write(t, root, "gen/g.go", "package g\n\nconst sqlGenerated = `no`\n")

	got, err := pgtest.Statements(root)
	require.NoError(t, err)
	require.Equal(t, []pgtest.Statement{{Name: "sqlList", Pos: "a/a.go:6", SQL: "SELECT id, name\n\tFROM a"}}, got)
}

func TestStatementThatCannotBeCheckedIsAnError(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root, "a.go", "package a\n\nconst sqlList = `SELECT ` + other.Columns\n")
	_, err := pgtest.Statements(root)
	require.ErrorContains(t, err, "a.go:3")
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}
