// Package migrations owns the schema: the roles, and the numbered steps that
// every database has taken.
//
// A step is NNNNN_verb_noun.sql for goose, one logical change up and down, with
// the reason in its comment, and is never edited once released. Steps run as
// sb_owner with the search path sb. Because row-level security is forced on the
// owner too, a step that moves rows says SET LOCAL ROLE sb_engine first.
// Numbers rise strictly: a step below the newest applied one is refused.
//
// The package runs steps. It holds no queries and knows no table.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/signalboxhq/signalbox/internal/pg"
)

//go:embed [0-9]*.sql
var steps embed.FS

//go:embed roles.sql
var rolesSQL string

// FS holds the steps, for tools that list or hash them.
func FS() fs.FS { return steps }

// Roles is the text that makes the roles and the schema, for an administrator
// who does not let the server create roles.
func Roles() string { return rolesSQL }

// Up makes the roles and the schema if they are missing and takes every step
// that the database has not taken yet. Several replicas may call it at once:
// one works, the others wait. url's user must be allowed to create roles and a
// schema the first time, or be a member of the roles already.
func Up(ctx context.Context, url string) error {
	if err := prepare(ctx, url); err != nil {
		return err
	}
	return withProvider(url, func(p *goose.Provider) error {
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		return nil
	})
}

// Down takes back every step above a version, 0 for all: for tests of what a step
// does.
func Down(ctx context.Context, url string, version int64) error {
	return withProvider(url, func(p *goose.Provider) error {
		if _, err := p.DownTo(ctx, version); err != nil {
			return fmt.Errorf("migrate down: %w", err)
		}
		return nil
	})
}

const sqlIsMigrated = `
	SELECT EXISTS (SELECT
	  FROM pg_class c
	  JOIN pg_namespace n ON n.oid = c.relnamespace
	 WHERE n.nspname = 'sb' AND c.relname = 'goose_db_version')`

// Migrated reports whether Up was ever run on the database, be it by an older
// release. It needs no role and makes nothing.
func Migrated(ctx context.Context, url string) (migrated bool, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false, fmt.Errorf("connect to look for migrations: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := conn.QueryRow(ctx, sqlIsMigrated).Scan(&migrated); err != nil {
		return false, fmt.Errorf("look for migrations: %w", err)
	}
	return migrated, nil
}

// Pending reports whether Up would take a step. The database must be Migrated:
// goose would make its table where that is missing.
func Pending(ctx context.Context, url string) (bool, error) {
	var pending bool
	err := withProvider(url, func(p *goose.Provider) (err error) {
		pending, err = p.HasPending(ctx)
		return err
	})
	return pending, err
}

// prepareKey is the advisory lock of prepare: two replicas must not both see
// that the schema is missing.
const prepareKey = 20260

func prepare(ctx context.Context, url string) (err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to migrate: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(prepareKey)); err != nil {
			return fmt.Errorf("lock the roles: %w", err)
		}
		if _, err := tx.Exec(ctx, rolesSQL); err != nil {
			return fmt.Errorf("make the roles: %w", err)
		}
		return nil
	})
}

func withProvider(url string, fn func(*goose.Provider) error) (err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("parse the database URL: %w", err)
	}
	config.RuntimeParams["role"] = pg.RoleOwner
	config.RuntimeParams["search_path"] = pg.Schema
	config.RuntimeParams["application_name"] = "signalbox/migrate"
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	p, err := newProvider(db)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	return fn(p)
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	// A probe each second for ten minutes: a long step of another replica must
	// not make this one give up.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, steps,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
}
