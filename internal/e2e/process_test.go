package e2e_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// process is a program under test that a test may kill, freeze and start again.
type process struct {
	t    *testing.T
	name string
	path string
	args []string
	env  []string
	dir  string

	mu   sync.Mutex
	logs bytes.Buffer

	cmd  *exec.Cmd
	done chan struct{}
}

// Write gathers what the process prints.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logs.Write(b)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logs.String()
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.CommandContext(context.WithoutCancel(p.t.Context()), p.path, p.args...)
	p.cmd.Env, p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.env, p.dir, p, p
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(p.t, p.cmd.Start(), "start %s", p.name)
	done := make(chan struct{})
	p.done = done
	go func() {
		_ = p.cmd.Wait()
		close(done)
	}()
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s), "signal %s", p.name)
}

// kill is kill -9, and waits until the process is gone.
func (p *process) kill() {
	p.t.Helper()
	_ = p.cmd.Process.Kill()
	<-p.done
}

// end asks the process to stop, and kills it when it takes too long.
func (p *process) end() {
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	if p.t.Failed() {
		p.t.Logf("--- %s printed:\n%s", p.name, tail(p.output(), 6000))
	}
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

func launch(t *testing.T, name, path, dir string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, path: path, args: args, dir: dir}
	p.env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, env...)
	p.start()
	t.Cleanup(p.end)
	return p
}

// eventually waits for a condition that another process brings about. It looks
// every 50 ms: there is nothing here to be told by.
func eventually(t *testing.T, within time.Duration, what string, done func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if done() {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s", within, what)
		case <-tick.C:
		}
	}
}
