package pgtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pgtest"
)

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	a, b := pgtest.URL(t), pgtest.URL(t)
	require.NotEqual(t, a, b)
	exec(t, a, `CREATE TABLE only_here (id int)`)

	var exists bool
	require.NoError(t, pgtest.Super(t, b).QueryRow(t.Context(), `SELECT to_regclass('sb.only_here') IS NOT NULL`).Scan(&exists))
	require.False(t, exists)
}

func TestChangesTellsWhatHappenedToEachRow(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	conn := pgtest.Super(t, db.URL())
	run := func(sql string) {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	run(`CREATE TABLE a (k int, l text, v int, PRIMARY KEY (l, k))`)
	run(`CREATE TABLE b (v int)`)
	run(`INSERT INTO a VALUES (1, 'x', 10), (2, 'x', 20), (3, 'x', 30)`)

	got := pgtest.Changes(t, db, func() {
		run(`INSERT INTO a VALUES (4, 'y', NULL)`)
		run(`UPDATE a SET v = 21 WHERE k = 2`)
		run(`DELETE FROM a WHERE k = 3`)
		run(`INSERT INTO b VALUES (7)`)
	})
	require.Equal(t, `UPDATE a [x 2] v: 20 -> 21
DELETE a {"k": 3, "l": "x", "v": 30}
INSERT a {"k": 4, "l": "y", "v": null}
INSERT b {"v": 7}
`, got)
	require.Empty(t, pgtest.Changes(t, db, func() {}))
}

func TestMaskKeepsEqualIDsEqual(t *testing.T) {
	t.Parallel()
	const a, b = "01890000-0000-7000-8000-000000000001", "01890000-0000-7000-8000-000000000002"
	require.Equal(t, `<id 1> <id 2> <id 1> at <time>`, pgtest.Mask(a+" "+b+" "+a+" at 2026-11-03T09:30:00.5+00:00"))
}

func exec(t *testing.T, url, sql string) {
	t.Helper()
	_, err := pgtest.Super(t, url).Exec(t.Context(), sql)
	require.NoError(t, err)
}
