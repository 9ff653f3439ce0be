package e2e_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/migrations"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pg/local"
)

// ownPostgres is a durable PostgreSQL of the storm's own, which starts again
// whenever it ends.
type ownPostgres struct {
	t      *testing.T
	dir    string
	small  bool // its disk is a small one of its own, that can be filled
	url    string
	mu     sync.Mutex
	server *local.Server
	starts int
}

func startPostgres(t *testing.T) *ownPostgres {
	t.Helper()
	root, err := os.MkdirTemp("", "signalbox-chaos-") //nolint:usetesting // PostgreSQL's own user must reach it
	require.NoError(t, err)
	require.NoError(t, os.Chmod(root, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	d := &ownPostgres{t: t, dir: filepath.Join(root, "disk", "pg")}
	require.NoError(t, os.Mkdir(filepath.Join(root, "disk"), 0o755))
	// Who may mount gets a disk that can be full. Who may not goes without.
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=700m,mode=755", "tmpfs", filepath.Join(root, "disk")).CombinedOutput(); err == nil {
		d.small = true
		t.Cleanup(func() {
			_ = exec.CommandContext(context.WithoutCancel(t.Context()), "umount", "-l", filepath.Join(root, "disk")).Run()
		})
	} else {
		t.Logf("no disk is filled in this storm: %s", out)
	}
	d.server, err = local.Start(t.Context(), local.Options{Dir: d.dir, Database: "signalbox"})
	require.NoError(t, err)
	d.url = d.server.URL()
	require.NoError(t, migrations.Up(t.Context(), d.url))
	watching, done := context.WithCancel(context.WithoutCancel(t.Context()))
	over := make(chan struct{})
	go func() { defer close(over); d.watch(watching) }()
	t.Cleanup(func() {
		done()
		<-over
		d.mu.Lock()
		defer d.mu.Unlock()
		_ = d.server.Stop()
	})
	return d
}

// watch starts it again whenever it has ended.
func (d *ownPostgres) watch(ctx context.Context) {
	for {
		d.mu.Lock()
		server := d.server
		d.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-server.Exited():
		}
		_ = server.Stop()
		for ctx.Err() == nil {
			again, err := local.Start(ctx, local.Options{Dir: d.dir, Database: "signalbox"})
			if err == nil {
				d.mu.Lock()
				d.server, d.starts = again, d.starts+1
				d.mu.Unlock()
				break
			}
			wait(ctx, 300*time.Millisecond) // its disk is still full
		}
	}
}

// wait lets time go by, or ends with ctx.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// crash is what pg_ctl -m immediate does: SIGQUIT to the postmaster.
func (d *ownPostgres) crash() error {
	d.mu.Lock()
	dir := d.server.DataDir()
	d.mu.Unlock()
	text, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0])
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGQUIT)
}

// super connects as the superuser, without much patience.
func (d *ownPostgres) super(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(d.url)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["search_path"] = pg.Schema
	config.RuntimeParams["application_name"] = "storm"
	config.ConnectTimeout = 2 * time.Second
	return pgx.ConnectConfig(ctx, config)
}

// backend picks a session of the servers.
func (d *ownPostgres) backend(ctx context.Context, n int) (int, error) {
	conn, err := d.super(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'signalbox/%' ORDER BY application_name, backend_start`)
	if err != nil {
		return 0, err
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return 0, err
	}
	if len(pids) == 0 {
		return 0, errors.New("no server is connected")
	}
	return pids[n%len(pids)], nil
}

// exhaust takes every connection there is.
func (d *ownPostgres) exhaust(ctx context.Context, lasts time.Duration) int {
	var all []*pgx.Conn
	defer func() {
		for _, c := range all {
			_ = c.Close(context.WithoutCancel(ctx))
		}
	}()
	for end := time.Now().Add(lasts); time.Now().Before(end) && ctx.Err() == nil; {
		c, err := d.super(ctx)
		if err != nil {
			wait(ctx, 50*time.Millisecond)
			continue
		}
		all = append(all, c)
	}
	return len(all)
}

// fill leaves nothing free on the disk for a time.
func (d *ownPostgres) fill(ctx context.Context, lasts time.Duration) error {
	ballast := filepath.Join(filepath.Dir(d.dir), "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(ballast) }()
	defer func() { _ = f.Close() }()
	block := make([]byte, 1<<20)
	for end := time.Now().Add(lasts); time.Now().Before(end) && ctx.Err() == nil; {
		if _, err := f.Write(block); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				return err
			}
			block = block[:max(4096, len(block)/2)]
			wait(ctx, 20*time.Millisecond)
		}
	}
	return nil
}
