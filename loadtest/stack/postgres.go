package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Postgres is a PostgreSQL of the benchmark's own, with the settings that a new
// installation has: fsync and synchronous_commit are on.
type Postgres struct {
	process  *Process
	socket   string
	bin      string
	data     string
	settings map[string]string
	account  *syscall.Credential
	log      string
}

// places are where packagers put the programs outside PATH.
var places = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/pgsql/bin"}

func findPostgres() (string, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			return filepath.Dir(p), nil
		}
	}
	for _, pattern := range places {
		found, _ := filepath.Glob(pattern) // the patterns are constants and well formed
		slices.Sort(found)
		for _, dir := range slices.Backward(found) {
			if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
				return dir, nil
			}
		}
	}
	return "", errors.New("no PostgreSQL is installed")
}

// unprivileged is the user that PostgreSQL runs as where we are root, as whom it
// refuses to run; nil means ourselves.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err1, err2)
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres")
}

// StartPostgres makes a database cluster in dir and starts it. Settings are
// added to, or replace, those of the installation.
func StartPostgres(ctx context.Context, dir string, settings map[string]string) (*Postgres, error) {
	bin, err := findPostgres()
	if err != nil {
		return nil, err
	}
	account, err := unprivileged()
	if err != nil {
		return nil, err
	}
	p := &Postgres{
		bin: bin, account: account, settings: settings,
		data: filepath.Join(dir, "data"), socket: dir, log: filepath.Join(dir, "postgres.log"),
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of PostgreSQL: %w", err)
	}
	if account != nil {
		if err := os.Chown(dir, int(account.Uid), int(account.Gid)); err != nil {
			return nil, fmt.Errorf("give the folder to PostgreSQL's user: %w", err)
		}
	}
	initdb := p.command(ctx, "initdb", "--pgdata", p.data, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return p, p.Start(ctx)
}

func (p *Postgres) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(p.bin, name), args...)
	cmd.Dir, cmd.Env = filepath.Dir(p.data), []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	if p.account != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.account}
	}
	return cmd
}

// Start starts the server on its data, as after Kill.
func (p *Postgres) Start(ctx context.Context) error {
	args := []string{"-D", p.data, "-k", p.socket, "-c", "listen_addresses=", "-c", "max_connections=200"}
	for _, name := range slices.Sorted(maps.Keys(p.settings)) {
		args = append(args, "-c", name+"="+p.settings[name])
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open PostgreSQL's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd := p.command(ctx, "postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	if p.process, err = launch("PostgreSQL", cmd, syscall.SIGINT); err != nil {
		return err
	}
	return p.process.eventually(ctx, func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, p.URL("postgres"))
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
}

// URL names a database, as the superuser.
func (p *Postgres) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: url.Values{"host": {p.socket}}.Encode()}
	return u.String()
}

// CreateDatabase makes an empty database and returns its URL.
func (p *Postgres) CreateDatabase(ctx context.Context, name string) (string, error) {
	return p.URL(name), p.inPostgres(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
}

// CopyDatabase makes a database as another one is, to which nobody is connected. The
// files are copied, not written through the log.
func (p *Postgres) CopyDatabase(ctx context.Context, name, of string) (string, error) {
	sql := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize() + " TEMPLATE " + pgx.Identifier{of}.Sanitize() + " STRATEGY FILE_COPY"
	return p.URL(name), p.inPostgres(ctx, sql)
}

// DropDatabase removes a database and whoever is connected to it, so that its
// vacuuming does not disturb what is measured next.
func (p *Postgres) DropDatabase(ctx context.Context, name string) error {
	return p.inPostgres(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
}

// Checkpoint writes out what is dirty, so that no measurement pays for another.
func (p *Postgres) Checkpoint(ctx context.Context) error { return p.inPostgres(ctx, "CHECKPOINT") }

func (p *Postgres) inPostgres(ctx context.Context, sql string) error {
	return p.Exec(ctx, "postgres", sql)
}

// Log is where PostgreSQL writes what it has to say.
func (p *Postgres) Log() string { return p.log }

// Exec runs a statement in a database, as the superuser.
func (p *Postgres) Exec(ctx context.Context, database, sql string) error {
	conn, err := pgx.Connect(ctx, p.URL(database))
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// PID is the postmaster.
func (p *Postgres) PID() int { return p.process.PID() }

// Kill ends all of PostgreSQL as a crash does: its sessions follow the
// postmaster within moments.
func (p *Postgres) Kill() error { return p.process.Kill() }

// Crash kills PostgreSQL and starts it on what it left. Its sessions need a
// moment to notice that it is gone; until then it rightly refuses to start.
func (p *Postgres) Crash(ctx context.Context) error {
	err := p.Kill()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for try := 0; err == nil && try < 200; try++ {
		if err = p.Start(ctx); err == nil {
			return nil
		}
		select {
		case <-tick.C:
			err = nil
		case <-ctx.Done():
		}
	}
	return errors.Join(errors.New("PostgreSQL does not come back"), err)
}

// Stop ends PostgreSQL; open transactions are rolled back.
func (p *Postgres) Stop() error { return p.process.end(syscall.SIGINT, 20*time.Second) }
