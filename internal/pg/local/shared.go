package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Lease is the use of the machine's shared test server.
type Lease struct {
	url  string
	conn *pgx.Conn
}

// URL is the server's database postgres, as the superuser.
func (l *Lease) URL() string { return l.url }

// Release ends the use. So does the end of the process.
func (l *Lease) Release(ctx context.Context) error { return l.conn.Close(ctx) }

// sharedIdle is how long the shared server waits for its next user.
const sharedIdle = time.Minute

// useKey is the advisory lock that every user of the shared server holds
// shared, in the database postgres.
const useKey = 20261

// watchSQL runs inside the shared server for as long as it lives and ends it
// after some seconds without users (the verb). That needs no process of ours,
// so no kill -9 leaves a server behind; and because the last look takes the
// lock that users share, nobody can arrive in between.
const watchSQL = `
	DO $$
	DECLARE
	  idle int := 0;
	BEGIN
	  WHILE idle < %[1]d LOOP
	    PERFORM pg_sleep(1);
	    IF NOT pg_try_advisory_lock(20261) THEN
	      idle := 0;
	    ELSE
	      idle := idle + 1;
	      IF idle < %[1]d THEN
	        PERFORM pg_advisory_unlock(20261);
	      END IF;
	    END IF;
	    COMMIT;
	  END LOOP;
	  EXECUTE format('COPY (SELECT 1) TO PROGRAM %%L',
	    'kill -INT ' || split_part(pg_read_file('postmaster.pid'), E'\n', 1));
	END
	$$`

// Shared joins the fast, throw-away server that all tests of this user on this
// machine share, and starts it if there is none: twenty packages that each made
// their own would spend more time in initdb than in tests. It ends by itself a
// minute after its last user.
func Shared(ctx context.Context) (*Lease, error) {
	acc, err := findAccount()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	// The lock's file names the folder. Each server has a new one, so that the
	// removal of an old one never hits its successor.
	prefix := fmt.Sprintf("/tmp/sb-test-%d", os.Geteuid())
	lock, err := os.OpenFile(prefix+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the shared test server: %w", err)
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock the shared test server: %w", err)
	}
	name, err := io.ReadAll(lock)
	if err != nil {
		return nil, fmt.Errorf("read the lock of the shared test server: %w", err)
	}
	if root := string(name); strings.HasPrefix(root, prefix) {
		p := sharedPlace(root)
		lease, err := joinWhileItLives(ctx, p)
		if err == nil {
			return lease, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("join the shared test server: %w", err)
		}
		if err := errors.Join(endOrphan(ctx, p.data()), os.RemoveAll(root)); err != nil {
			return nil, fmt.Errorf("remove the last shared test server: %w", err)
		}
	}
	p := sharedPlace(prefix + "-" + strconv.FormatInt(time.Now().UnixNano(), 36))
	if err := errors.Join(lock.Truncate(0), writeAt(lock, p.root)); err != nil {
		return nil, fmt.Errorf("name the shared test server: %w", err)
	}
	if err := startShared(ctx, acc, p, sharedIdle); err != nil {
		return nil, fmt.Errorf("start the shared test server: %w", err)
	}
	return join(ctx, p)
}

func sharedPlace(root string) place { return place{root: root, socket: filepath.Join(root, "s")} }

// joinWhileItLives tries again for as long as the server lives. One that is too
// busy to answer at once is in use by others: it must not be taken for dead and
// ended under their tests.
func joinWhileItLives(ctx context.Context, p place) (*Lease, error) {
	for {
		lease, err := join(ctx, p)
		if err == nil || !serves(p.data()) || !pause(ctx, 200*time.Millisecond) {
			return lease, err
		}
	}
}

func join(ctx context.Context, p place) (*Lease, error) {
	// While the server is ending, the lock is not to be had.
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	url := urlOf(p.socket, "postgres")
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock_shared($1)`, int64(useKey)); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return &Lease{url: url, conn: conn}, nil
}

func startShared(ctx context.Context, acc account, p place, idle time.Duration) error {
	bin, err := find(ctx, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(acc.own(p.root), acc.own(p.socket)); err != nil {
		return err
	}
	if err := initialize(ctx, acc, bin, p); err != nil {
		return err
	}
	// The shell stays and removes the folder when the server has ended.
	args := append([]string{"/bin/sh", "-c", `"$@"; rm -rf "$0"`, p.root}, arguments(bin, p, true)...)
	proc, err := launch(ctx, acc, p, args, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // It outlives us and our terminal.
	})
	if err != nil {
		return err
	}
	if err := proc.ready(ctx, p); err != nil {
		return err
	}
	return startWatch(ctx, p, idle)
}

// startWatch sends the statement and hangs up: the session works on alone.
func startWatch(ctx context.Context, p place, idle time.Duration) error {
	conn, err := pgx.Connect(ctx, urlOf(p.socket, "postgres"))
	if err != nil {
		return err
	}
	raw, err := conn.PgConn().Hijack()
	if err != nil {
		return err
	}
	raw.Frontend.SendQuery(&pgproto3.Query{String: fmt.Sprintf(watchSQL, int(idle.Seconds()))})
	return errors.Join(raw.Frontend.Flush(), raw.Conn.Close())
}
