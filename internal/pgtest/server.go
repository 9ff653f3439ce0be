package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/sethvargo/go-envconfig"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/migrations"
	"github.com/signalboxhq/signalbox/internal/pg/local"
)

const databasePrefix = "sb_test_"

// Advisory locks in the server's own database.
const (
	// templateKey is held while a template is looked for and made.
	templateKey = 20262
	// processKeys is the first half of the lock that each test process holds
	// for life, so that another one can tell which databases are orphans.
	processKeys = 20263
)

type env struct {
	URL string `env:"TEST_DATABASE_URL"`
}

// server is the test server, as this process uses it.
type server struct {
	url   string
	admin *pgxpool.Pool
	// alive holds this process's lock, lease its use of the shared server. Both
	// must stay reachable: a connection that the garbage collector finds is
	// closed, and other processes would take the databases of running tests for
	// orphans, or the server itself would end a minute later.
	alive *pgx.Conn
	lease *local.Lease

	// template makes the database that tests copy, once, and returns its name.
	template func() (string, error)
}

var theServer = sync.OnceValues(func() (*server, error) {
	// It serves the whole process, not the test that happens to be first.
	return start(context.Background())
})

func connect(t testing.TB) *server {
	t.Helper()
	s, err := theServer()
	require.NoError(t, err)
	return s
}

func start(ctx context.Context) (*server, error) {
	var e env
	if err := envconfig.Process(ctx, &e); err != nil {
		return nil, err
	}
	var lease *local.Lease
	if e.URL == "" {
		// It is never released: it ends with the process.
		var err error
		if lease, err = local.Shared(ctx); err != nil {
			return nil, fmt.Errorf("%w (or set TEST_DATABASE_URL to a superuser's)", err)
		}
		e.URL = lease.URL()
	}
	config, err := pgxpool.ParseConfig(e.URL)
	if err != nil {
		return nil, fmt.Errorf("parse TEST_DATABASE_URL: %w", err)
	}
	config.MaxConns = 4
	admin, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &server{url: e.URL, admin: admin, lease: lease}
	s.template = sync.OnceValues(func() (string, error) { return s.buildTemplate(ctx) })
	if err := s.claim(ctx); err != nil {
		return nil, fmt.Errorf("prepare the test server: %w", err)
	}
	return s, nil
}

// claim takes this process's lock on a connection that is never given back, and
// removes the databases of processes that no longer hold theirs.
func (s *server) claim(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.admin.Config().ConnConfig)
	if err != nil {
		return err
	}
	s.alive = conn
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1, hashtext($2))`, processKeys, process); err != nil {
		return err
	}
	const query = `SELECT datname FROM pg_database WHERE starts_with(datname, $1)`
	rows, err := conn.Query(ctx, query, databasePrefix)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	dead := map[string]bool{process: false}
	for _, name := range names {
		owner, _, _ := strings.Cut(strings.TrimPrefix(name, databasePrefix), "_")
		if _, known := dead[owner]; !known {
			const probe = `SELECT pg_try_advisory_lock($1, hashtext($2)) AND pg_advisory_unlock($1, hashtext($2))`
			var free bool
			if err := conn.QueryRow(ctx, probe, processKeys, owner).Scan(&free); err != nil {
				return err
			}
			dead[owner] = free
		}
		if !dead[owner] {
			continue
		}
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) exec(ctx context.Context, t testing.TB, sql string) {
	t.Helper()
	_, err := s.admin.Exec(ctx, sql)
	require.NoError(t, err, sql)
}

// buildTemplate makes the template for this state of the migrations unless
// there is one. It is made aside and renamed, so that a killed test leaves
// nothing half made under the final name. One builder at a time, on purpose
// across all templates: it makes the cluster's roles too.
func (s *server) buildTemplate(ctx context.Context) (name string, err error) {
	conn, err := s.admin.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, templateKey); err != nil {
		return "", err
	}
	defer func() {
		_, unlockErr := conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, templateKey)
		err = errors.Join(err, unlockErr)
	}()

	hash, err := migrationsHash()
	if err != nil {
		return "", err
	}
	name = "sb_template_" + hash
	var exists bool
	const query = `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`
	if err := conn.QueryRow(ctx, query, name).Scan(&exists); err != nil || exists {
		return name, err
	}
	aside := name + "_new"
	for _, sql := range []string{
		"DROP DATABASE IF EXISTS " + pgx.Identifier{aside}.Sanitize() + " WITH (FORCE)",
		"CREATE DATABASE " + pgx.Identifier{aside}.Sanitize() + " TEMPLATE template0",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return "", err
		}
	}
	url, err := withDatabase(s.url, aside)
	if err != nil {
		return "", err
	}
	if err := migrations.Up(ctx, url); err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+pgx.Identifier{aside}.Sanitize()+" RENAME TO "+pgx.Identifier{name}.Sanitize())
	return name, err
}

func migrationsHash() (string, error) {
	h := sha256.New()
	h.Write([]byte(migrations.Roles()))
	steps, err := fs.Glob(migrations.FS(), "*.sql") // In lexical order.
	if err != nil {
		return "", err
	}
	for _, name := range steps {
		text, err := fs.ReadFile(migrations.FS(), name)
		if err != nil {
			return "", err
		}
		h.Write(fmt.Appendf(nil, "%s %d\n%s", name, len(text), text))
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

func withDatabase(base, name string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("TEST_DATABASE_URL must be a URL: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}
