package stack

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// HoldSnapshot keeps a snapshot open, as a long report or a forgotten session
// does: no row that dies meanwhile can be cleaned up.
func (p *Postgres) HoldSnapshot(ctx context.Context, database string) (undo func() error, err error) {
	conn, err := pgx.Connect(ctx, p.URL(database))
	if err != nil {
		return nil, fmt.Errorf("connect to hold a snapshot: %w", err)
	}
	end := func() error { return conn.Close(context.WithoutCancel(ctx)) }
	if _, err := conn.Exec(ctx, `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM sb.organization`); err != nil {
		return nil, errors.Join(fmt.Errorf("hold a snapshot: %w", err), end())
	}
	return end, nil
}

// Repeat runs a statement every so often.
func (p *Postgres) Repeat(ctx context.Context, database, sql string, every time.Duration) (undo func() error, err error) {
	conn, err := pgx.Connect(ctx, p.URL(database))
	if err != nil {
		return nil, fmt.Errorf("connect to repeat %s: %w", sql, err)
	}
	ctx, stop := context.WithCancel(ctx)
	var loop sync.WaitGroup
	loop.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for ctx.Err() == nil && err == nil {
			_, err = conn.Exec(ctx, sql)
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	return func() error {
		stop()
		loop.Wait()
		closed := conn.Close(context.WithoutCancel(ctx))
		if errors.Is(err, context.Canceled) {
			return closed
		}
		return errors.Join(err, closed)
	}, nil
}

// Alter changes settings while the server runs, and undo resets them.
func (p *Postgres) Alter(ctx context.Context, settings map[string]string) (undo func() error, err error) {
	for name, value := range settings {
		if err := p.inPostgres(ctx, "ALTER SYSTEM SET "+pgx.Identifier{name}.Sanitize()+" = "+value); err != nil {
			return nil, err
		}
	}
	reload := func() error { return p.inPostgres(context.WithoutCancel(ctx), "SELECT pg_reload_conf()") }
	return func() error {
		return errors.Join(p.inPostgres(context.WithoutCancel(ctx), "ALTER SYSTEM RESET ALL"), reload())
	}, reload()
}

// WithoutRowLevel lets the server's roles pass by row-level security.
func (p *Postgres) WithoutRowLevel(ctx context.Context) (undo func() error, err error) {
	set := func(ctx context.Context, attribute string) error {
		var errs []error
		for _, role := range []string{"sb_api", "sb_engine", "sb_auth"} {
			errs = append(errs, p.inPostgres(ctx, "ALTER ROLE "+role+" "+attribute))
		}
		return errors.Join(errs...)
	}
	return func() error { return set(context.WithoutCancel(ctx), "NOBYPASSRLS") }, set(ctx, "BYPASSRLS")
}

// What is metered is thrown away instead of kept: where usage was, there is a view
// that takes rows and writes none. The server adds up and sends its rows as ever.
const sqlDropUsage = `
	ALTER TABLE sb.usage RENAME TO usage_kept;
	CREATE VIEW sb.usage AS SELECT * FROM sb.usage_kept;
	CREATE FUNCTION sb.forget_usage() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE TRIGGER forget INSTEAD OF INSERT ON sb.usage FOR EACH ROW EXECUTE FUNCTION sb.forget_usage();
	GRANT SELECT, INSERT ON sb.usage TO sb_engine`

const sqlKeepUsage = `
	DROP VIEW sb.usage;
	DROP FUNCTION sb.forget_usage();
	ALTER TABLE sb.usage_kept RENAME TO usage`

// WithoutMetering has a database keep no usage.
func (p *Postgres) WithoutMetering(ctx context.Context, database string) (undo func() error, err error) {
	return func() error { return p.Exec(context.WithoutCancel(ctx), database, sqlKeepUsage) }, p.Exec(ctx, database, sqlDropUsage)
}
