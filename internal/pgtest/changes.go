package pgtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
)

// Changes runs fn and returns what it did to the tables of the schema sb, one
// line for each row, sorted by table and key:
//
//	INSERT run {"id": …, "state": "running"}
//	UPDATE run [<id>] state: "queued" -> "running"
//	DELETE lease {"id": …}
//
// Asserting the whole of it proves that nothing else happened. A table without
// a primary key is compared by its whole rows.
func Changes(t testing.TB, db *pg.DB, fn func()) string {
	t.Helper()
	conn := Super(t, db.URL())
	before := snapshot(t, conn)
	fn()
	after := snapshot(t, conn)

	var out strings.Builder
	for _, table := range slices.Sorted(maps.Keys(after)) {
		writeChanges(&out, table, before[table], after[table])
	}
	return out.String()
}

// rows are a table's rows by the text of their key, columns in JSON.
type rows map[string]row

type row struct {
	text    string // canonical: jsonb's order of keys
	columns map[string]json.RawMessage
}

func snapshot(t testing.TB, conn *pgx.Conn) map[string]rows {
	t.Helper()
	// Partitions are read through their parent.
	const query = `
		SELECT c.relname,
		       coalesce((SELECT array_agg(a.attname::text ORDER BY array_position(i.indkey::int[], a.attnum::int))
		                   FROM pg_index i
		                   JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
		                  WHERE i.indrelid = c.oid AND i.indisprimary), '{}')
		  FROM pg_class c
		 WHERE c.relnamespace = 'sb'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		   AND c.relname <> 'goose_db_version'`
	type table struct {
		Name string
		Key  []string
	}
	found, err := conn.Query(t.Context(), query)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(found, pgx.RowToStructByPos[table])
	require.NoError(t, err)

	all := make(map[string]rows, len(tables))
	for _, tb := range tables {
		found, err := conn.Query(t.Context(), "SELECT to_jsonb(t)::text FROM "+pgx.Identifier{pg.Schema, tb.Name}.Sanitize()+" t")
		require.NoError(t, err)
		texts, err := pgx.CollectRows(found, pgx.RowTo[string])
		require.NoError(t, err)
		all[tb.Name] = make(rows, len(texts))
		for _, text := range texts {
			r := row{text: text}
			require.NoError(t, json.Unmarshal([]byte(text), &r.columns))
			all[tb.Name][keyOf(r, tb.Key)] = r
		}
	}
	return all
}

func keyOf(r row, key []string) string {
	if len(key) == 0 {
		return r.text
	}
	parts := make([]string, len(key))
	for i, column := range key {
		parts[i] = strings.Trim(string(r.columns[column]), `"`)
	}
	return strings.Join(parts, " ")
}

func writeChanges(out *strings.Builder, table string, before, after rows) {
	keys := maps.Clone(before)
	if keys == nil {
		keys = rows{}
	}
	maps.Copy(keys, after)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		was, had := before[key]
		is, has := after[key]
		switch {
		case !had:
			fmt.Fprintf(out, "INSERT %s %s\n", table, is.text)
		case !has:
			fmt.Fprintf(out, "DELETE %s %s\n", table, was.text)
		case was.text != is.text:
			fmt.Fprintf(out, "UPDATE %s [%s]", table, key)
			for _, column := range slices.Sorted(maps.Keys(is.columns)) {
				if w, i := was.columns[column], is.columns[column]; !bytes.Equal(w, i) {
					fmt.Fprintf(out, " %s: %s -> %s", column, w, i)
				}
			}
			out.WriteByte('\n')
		}
	}
}
