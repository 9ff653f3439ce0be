// Package pgtest gives each test a migrated PostgreSQL database of its own.
//
// It owns the test server (TEST_DATABASE_URL, or one that all tests of the
// machine share, see internal/pg/local), the template that databases are copied
// from, and comparing the database before and after. Tests work through the
// same three roles as the server, so row-level security is in force; only Super
// goes around it. Nothing outside tests may import it.
package pgtest

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
)

// DB makes a database for t, opens the pools on it, and removes both at the
// end of t.
func DB(t testing.TB) *pg.DB {
	t.Helper()
	db, err := pg.Open(t.Context(), pg.Config{URL: URL(t), APIConns: 4, EngineConns: 4, AuthConns: 2})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

// URL makes a database for t and returns its URL, for tests that start real
// server processes. It is removed at the end of t, sessions or not.
func URL(t testing.TB) string {
	t.Helper()
	template, err := connect(t).template()
	require.NoError(t, err, "make the template database")
	return create(t, "TEMPLATE "+pgx.Identifier{template}.Sanitize()+" STRATEGY FILE_COPY")
}

// Empty makes a database without our schema, for tests of the migrations.
func Empty(t testing.TB) string {
	t.Helper()
	return create(t, "")
}

// Super opens a connection as the login user, a superuser whom row-level
// security does not bind, for looking and for planting faults.
func Super(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	config.RuntimeParams["search_path"] = pg.Schema
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

var (
	process = hex.EncodeToString(newID())
	counter atomic.Int64
)

func newID() []byte {
	u := uuid.New()
	return u[:6]
}

func create(t testing.TB, from string) string {
	t.Helper()
	s := connect(t)
	name := fmt.Sprintf("%s%s_%d", databasePrefix, process, counter.Add(1))
	quoted := pgx.Identifier{name}.Sanitize()
	s.exec(t.Context(), t, "CREATE DATABASE "+quoted+" "+from)
	t.Cleanup(func() {
		s.exec(context.WithoutCancel(t.Context()), t, "DROP DATABASE IF EXISTS "+quoted+" WITH (FORCE)")
	})
	url, err := withDatabase(s.url, name)
	require.NoError(t, err)
	return url
}
