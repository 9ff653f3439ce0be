package signalbox

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
)

// copiesAtOnce bounds a statement: a run of 500 steps has a thousand rows.
const copiesAtOnce = 200

// Queue copies a run that waits, with all that hangs on it.
func (d *Driver) Queue(ctx context.Context, run string, copies int) error {
	return d.copyRun(ctx, run, copies)
}

// Finish copies a run that is done, with its journal.
func (d *Driver) Finish(ctx context.Context, run string, copies int) error {
	return d.copyRun(ctx, run, copies)
}

// What a copy of a run says otherwise than the run: its id, which keeps the form
// of a UUIDv7 and is as many milliseconds older as it is the how-manieth, and its
// number.
const (
	copiedID     = `(lpad(to_hex(@made - n), 12, '0') || substr(replace(@run::uuid::text, '-', ''), 13))::uuid`
	copiedNumber = `number + n`
)

// Every table that knows a run by its id. A column that the database itself
// fills in is left out; partitions are filled through their parent.
const sqlRunTables = `
	SELECT c.relname, array_agg(a.attname ORDER BY a.attnum)::text[]
	FROM pg_class c
	JOIN pg_namespace s ON s.oid = c.relnamespace AND s.nspname = 'sb'
	JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = ''
	WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
	GROUP BY c.relname
	HAVING c.relname = 'run' OR 'run_id' = ANY (array_agg(a.attname))
	ORDER BY c.relname`

func (d *Driver) copyRun(ctx context.Context, run string, copies int) error {
	key, err := id.Parse(id.Run, run)
	if err != nil {
		return fmt.Errorf("copy a run: %w", err)
	}
	conn, err := pgx.Connect(ctx, d.database)
	if err != nil {
		return fmt.Errorf("connect to copy runs: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	statements, err := copyStatements(ctx, conn)
	if err != nil {
		return err
	}
	made := int64(key[0])<<40 | int64(key[1])<<32 | int64(key[2])<<24 | int64(key[3])<<16 | int64(key[4])<<8 | int64(key[5])
	for from := 1; from <= copies; from += copiesAtOnce {
		args := pgx.StrictNamedArgs{"run": key, "made": made, "from": from, "to": min(copies, from+copiesAtOnce-1)}
		for _, sql := range statements {
			if _, err := conn.Exec(ctx, sql, args); err != nil {
				return fmt.Errorf("copy a run: %w: %s", err, sql)
			}
		}
	}
	_, err = conn.Exec(ctx, `
		UPDATE sb.pipeline p SET next_number = next_number + @copies
		FROM sb.run r
		WHERE r.id = @run AND p.org_id = r.org_id AND p.id = r.pipeline_id`, pgx.StrictNamedArgs{"run": key, "copies": copies})
	if err == nil {
		// What autovacuum would do before long. The queue is left to itself: its
		// statistics depend on the moment.
		_, err = conn.Exec(ctx, `VACUUM ANALYZE sb.run, sb.journal`)
	}
	if err != nil {
		return fmt.Errorf("count the copied runs: %w", err)
	}
	return nil
}

// copyStatements copies the rows of a run in each table that has some.
func copyStatements(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, sqlRunTables)
	if err != nil {
		return nil, fmt.Errorf("list the tables of runs: %w", err)
	}
	var statements []string
	var table string
	var columns []string
	_, err = pgx.ForEachRow(rows, []any{&table, &columns}, func() error {
		key := "run_id"
		if table == "run" {
			key = "id"
		}
		values := make([]string, len(columns))
		for i, column := range columns {
			switch {
			case column == key:
				values[i] = copiedID
			case table == "run" && column == "number":
				values[i] = copiedNumber
			default:
				values[i] = "t." + pgx.Identifier{column}.Sanitize()
			}
		}
		statements = append(statements, fmt.Sprintf(
			"INSERT INTO sb.%s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM sb.%s t CROSS JOIN generate_series(@from::bigint, @to::bigint) AS n WHERE t.%s = @run AND @made::bigint > 0",
			table, strings.Join(columns, ", "), strings.Join(values, ", "), table, key))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the tables of runs: %w", err)
	}
	return statements, nil
}

// Their pools and subscriptions are made by the tables' own triggers.
const sqlCrowd = `
	WITH o AS (
	  INSERT INTO sb.organization (org_id, slug, name)
	  SELECT gen_random_uuid(), 'crowd-' || n, 'Crowd ' || n
	  FROM generate_series(1, @tenants::int) AS n
	  RETURNING org_id
	)
	INSERT INTO sb.workspace (org_id, id, slug, name)
	SELECT org_id, gen_random_uuid(), 'default', 'Default' FROM o`

// Crowd makes other tenants.
func (d *Driver) Crowd(ctx context.Context, tenants int) error {
	conn, err := pgx.Connect(ctx, d.database)
	if err != nil {
		return fmt.Errorf("connect to make tenants: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, sqlCrowd, pgx.StrictNamedArgs{"tenants": tenants}); err != nil {
		return fmt.Errorf("make tenants: %w", err)
	}
	return nil
}
