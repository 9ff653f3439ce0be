// Package pg is the door to PostgreSQL: pools by role, transactions, and the
// meaning of the database's errors.
//
// It owns which role a statement runs as. Requests of people and keys run as
// sb_api, which row-level security binds to the organization of the
// transaction (InTenant); system work that serves many organizations runs as
// sb_engine (InSystem); the login path runs as sb_auth. It is the only package
// that names pgx's error types: others ask NoRows, UniqueViolation, Retryable.
// It holds no SQL of any domain and no business words.
package pg

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The roles that the server works as. The user of the database URL is a member
// of each (see controlplane/migrations) and does nothing in its own name.
const (
	RoleOwner  = "sb_owner"
	RoleAPI    = "sb_api"
	RoleEngine = "sb_engine"
	RoleAuth   = "sb_auth"
)

// Schema holds every table of ours.
const Schema = "sb"

// Config says where the database is and how much of it this process may use.
type Config struct {
	// URL is a libpq URL or keyword string; its user must be a member of the
	// sb_ roles.
	URL string
	// APIConns, EngineConns and AuthConns bound each pool; zero takes the
	// default (10, 10, 4).
	APIConns, EngineConns, AuthConns int32
	// StatementTimeout ends a statement of sb_api and sb_auth; zero means 5 s.
	// sb_engine has none: its batches bound their own locks.
	StatementTimeout time.Duration
}

// DB is the three pools. Every connection of a pool has its role from the
// first byte on, and RESET ROLE or DISCARD ALL lead back to it.
type DB struct {
	API    *pgxpool.Pool
	Engine *pgxpool.Pool
	Auth   *pgxpool.Pool

	config Config
}

// Open makes the pools and proves that the database answers and that its user
// may work as each role. It does not migrate. Close must be called.
func Open(ctx context.Context, config Config) (*DB, error) {
	if config.StatementTimeout == 0 {
		config.StatementTimeout = 5 * time.Second
	}
	db := &DB{config: config}
	timeout := fmt.Sprintf("%dms", config.StatementTimeout.Milliseconds())
	for _, p := range []struct {
		into     **pgxpool.Pool
		role     string
		conns    int32
		settings map[string]string
	}{
		{&db.API, RoleAPI, orDefault(config.APIConns, 10), map[string]string{"statement_timeout": timeout}},
		{&db.Engine, RoleEngine, orDefault(config.EngineConns, 10), map[string]string{"statement_timeout": "0"}},
		// Each call begins with a look by key: planning it anew costs more than it
		// does.
		{&db.Auth, RoleAuth, orDefault(config.AuthConns, 4), map[string]string{"statement_timeout": timeout, "plan_cache_mode": "force_generic_plan"}},
	} {
		pool, err := openPool(ctx, config.URL, p.role, p.conns, p.settings)
		if err != nil {
			db.Close()
			return nil, fmt.Errorf("open the pool of %s: %w", p.role, err)
		}
		*p.into = pool
	}
	return db, nil
}

func openPool(ctx context.Context, url, role string, conns int32, settings map[string]string) (*pgxpool.Pool, error) {
	pc, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("parse the database URL: %w", err)
	}
	asRole(pc.ConnConfig, role)
	maps.Copy(pc.ConnConfig.RuntimeParams, settings)
	pc.MaxConns = conns
	pc.AfterConnect = registerTypes
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

// asRole makes the role part of the connection's start-up packet: no extra
// trip, and the session's default, so that nothing resets it.
func asRole(cc *pgx.ConnConfig, role string) {
	cc.RuntimeParams["role"] = role
	cc.RuntimeParams["search_path"] = Schema
	cc.RuntimeParams["timezone"] = "UTC"
	cc.RuntimeParams["application_name"] = "signalbox/" + role
}

// Listen opens a connection of its own as sb_engine, outside the pools, for
// LISTEN. The caller closes it, and must poll as well: a notification only
// wakes and may be lost.
func (db *DB) Listen(ctx context.Context, channels ...string) (*pgx.Conn, error) {
	cc, err := pgx.ParseConfig(db.config.URL)
	if err != nil {
		return nil, fmt.Errorf("parse the database URL: %w", err)
	}
	asRole(cc, RoleEngine)
	conn, err := pgx.ConnectConfig(ctx, cc)
	if err != nil {
		return nil, fmt.Errorf("connect to listen: %w", err)
	}
	if err := registerTypes(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	for _, c := range channels {
		if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{c}.Sanitize()); err != nil {
			return nil, errors.Join(fmt.Errorf("listen on %s: %w", c, err), conn.Close(ctx))
		}
	}
	return conn, nil
}

// URL is the URL that the pools connect with, for what needs the login user
// itself: migrations and tests.
func (db *DB) URL() string { return db.config.URL }

// Close closes the pools and waits for the connections that are in use.
func (db *DB) Close() {
	for _, p := range []*pgxpool.Pool{db.API, db.Engine, db.Auth} {
		if p != nil {
			p.Close()
		}
	}
}

func orDefault(n, otherwise int32) int32 {
	if n == 0 {
		return otherwise
	}
	return n
}
