package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// childEnv keeps our PG* variables and language away from the server.
var childEnv = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}

// settings common to every server, then those of the two modes.
var (
	baseSettings = []string{
		"listen_addresses=", "unix_socket_permissions=0700", "jit=off", "log_checkpoints=off",
		"wal_level=minimal", "max_wal_senders=0", "log_timezone=UTC", "timezone=UTC",
	}
	durableSettings = []string{"max_connections=200", "shared_buffers=128MB"}
	fastSettings    = []string{
		"max_connections=500", "shared_buffers=64MB", "fsync=off", "synchronous_commit=off",
		"full_page_writes=off", "autovacuum=off", "checkpoint_timeout=1h", "max_wal_size=4GB",
	}
)

// process is a running postmaster.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed after Wait
}

// initialize makes the data directory unless there is one. It is made aside
// and renamed, so that an interrupted start leaves nothing half made.
func initialize(ctx context.Context, acc account, bin binaries, p place) error {
	if p.major() != 0 {
		return nil
	}
	aside := p.data() + ".new"
	if err := os.RemoveAll(aside); err != nil {
		return fmt.Errorf("remove an unfinished data directory: %w", err)
	}
	cmd := exec.CommandContext(ctx, bin.initdb(), "--pgdata", aside, "--username=postgres", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.Env = p.root, childEnv
	if out, err := acc.run(cmd).CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return os.Rename(aside, p.data())
}

func arguments(bin binaries, p place, fast bool) []string {
	args := []string{bin.postgres(), "-D", p.data(), "-k", p.socket}
	mode := durableSettings
	if fast {
		mode = fastSettings
	}
	for _, s := range slices.Concat(baseSettings, mode) {
		args = append(args, "-c", s)
	}
	return args
}

// run starts the server and waits until it answers.
func run(ctx context.Context, acc account, bin binaries, p place, fast bool) (*process, error) {
	for {
		proc, err := launch(ctx, acc, p, arguments(bin, p, fast), func(cmd *exec.Cmd) {
			// A group of its own: Ctrl-C in a terminal must reach us alone, or the
			// database would be gone before the server has drained.
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			dieWithUs(cmd, syscall.SIGINT)
		})
		if err != nil {
			return nil, err
		}
		err = proc.ready(ctx, p)
		if err == nil {
			return proc, nil
		}
		_ = proc.end(time.Second)
		// The last sessions of a postmaster that was killed need a moment to
		// notice; until then the server rightly refuses to start.
		if !strings.Contains(err.Error(), "pre-existing shared memory block") || !pause(ctx, 200*time.Millisecond) {
			return nil, err
		}
	}
}

// launch starts args as the account with its output in the log.
func launch(ctx context.Context, acc account, p place, args []string, configure func(*exec.Cmd)) (*process, error) {
	logFile, err := os.Create(p.log())
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	defer func() { _ = logFile.Close() }()
	// The server outlives ctx, which bounds its start only.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), args[0], args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.root, childEnv, logFile, logFile
	configure(cmd)
	proc := &process{cmd: acc.run(cmd), exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The signal of dieWithUs is sent when this thread ends, so the thread
		// must live as long as the server.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(proc.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	return proc, nil
}

// ready waits until the server answers, exits, or ctx ends.
func (p *process) ready(ctx context.Context, at place) error {
	for {
		conn, err := pgx.Connect(ctx, urlOf(at.socket, "postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-p.exited:
			return fmt.Errorf("PostgreSQL ended while starting:\n%s", tail(at.log()))
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL did not answer: %w (%w):\n%s", ctx.Err(), err, tail(at.log()))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// end stops the server: rolling back what is open, then, when that takes longer
// than grace, at once, then by force.
func (p *process) end(grace time.Duration) error {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("signal postgres: %w", err)
		}
		select {
		case <-p.exited:
			return nil
		case <-time.After(grace):
		}
	}
	return errors.New("postgres does not end")
}

// endOrphan ends a server that still runs on data although nobody holds the
// folder's lock: its launcher was killed. It also removes the pid file of a
// dead server whose number now belongs to another process.
func endOrphan(ctx context.Context, data string) error {
	pid, ok := postmaster(data)
	if !ok || !alive(pid) {
		return nil // Dead or unreadable: PostgreSQL judges its own file.
	}
	if !worksIn(pid, data) {
		return os.Remove(filepath.Join(data, "postmaster.pid"))
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		_ = syscall.Kill(pid, sig)
		for until := time.Now().Add(5 * time.Second); time.Now().Before(until); {
			if !alive(pid) {
				return nil
			}
			if !pause(ctx, 20*time.Millisecond) {
				return ctx.Err()
			}
		}
	}
	return fmt.Errorf("the PostgreSQL of an earlier run (process %d) does not end", pid)
}

// postmaster is the process that the data folder's pid file names.
func postmaster(data string) (pid int, ok bool) {
	b, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err = strconv.Atoi(strings.TrimSpace(first))
	return pid, err == nil && pid > 1
}

// serves reports whether a postmaster lives that works in data.
func serves(data string) bool {
	pid, ok := postmaster(data)
	return ok && alive(pid) && worksIn(pid, data)
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// worksIn reports whether the process has data as its folder, as a postmaster
// does. Where the system does not tell, it is believed.
func worksIn(pid int, data string) bool {
	if runtime.GOOS != "linux" {
		return true
	}
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	target, err := filepath.EvalSymlinks(data)
	return err == nil && cwd == target
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
