package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/fakeplane"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// TestMain lets the test binary be the agent, so that tests can signal and kill
// a real one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		main()
	}
	os.Exit(m.Run())
}

type testBundle struct {
	plane *fakeplane.Plane
	dir   string
	run   id.UUID
	env   []string
}

func setup(t *testing.T) *testBundle {
	t.Helper()
	return &testBundle{plane: fakeplane.Start(t), dir: t.TempDir()}
}

// agent is a running agent.
type agent struct {
	*exec.Cmd

	stderr *bytes.Buffer
	ended  chan struct{}
	err    error // of Wait, once ended is closed
}

// start starts an agent; it is killed with the test if it still runs.
func (b *testBundle) start(t *testing.T, args ...string) *agent {
	t.Helper()
	args = append([]string{"start", "--server", b.plane.URL, "--dir", b.dir, "--token", fakeplane.Token, "--slots", "2"}, args...)
	a := &agent{Cmd: exec.CommandContext(t.Context(), os.Args[0], args...), stderr: &bytes.Buffer{}, ended: make(chan struct{})}
	a.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir}
	a.Env = append(a.Env, b.env...)
	a.Stderr = a.stderr
	require.NoError(t, a.Start())
	go func() {
		a.err = a.Wait()
		close(a.ended)
	}()
	t.Cleanup(func() {
		_ = a.Process.Kill()
		<-a.ended
		if t.Failed() {
			t.Log(a.stderr.String())
		}
	})
	return a
}

func (a *agent) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	require.NoError(t, a.Process.Signal(signal))
}

// wait waits for the agent's end.
func (a *agent) wait() error {
	<-a.ended
	return a.err
}

// script queues a shell script in a run of its own.
func (b *testBundle) script(t *testing.T, script string) int64 {
	t.Helper()
	b.run = id.New()
	version := b.plane.Deploy(&plan.Plan{Name: "p", Tasks: []plan.Task{{Name: "step", Run: script}}})
	return b.plane.Queue(fakeplane.Attempt{Version: version, Run: b.run, Task: "step"})
}

// held makes a named pipe. A step that begins with the script tells the test
// that it runs; gone returns when no process of it is left.
func held(t *testing.T) (script string, runs, gone func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "held")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	var file *os.File
	runs = func() {
		var err error
		file, err = os.Open(path)
		require.NoError(t, err)
		t.Cleanup(func() { _ = file.Close() })
		_, err = io.ReadFull(file, make([]byte, 1))
		require.NoError(t, err)
	}
	gone = func() {
		require.NoError(t, file.SetReadDeadline(time.Now().Add(time.Minute)))
		_, err := io.Copy(io.Discard, file)
		require.NoError(t, err)
	}
	return "exec 9>" + path + "; printf x >&9\n", runs, gone
}

// command runs a command that ends by itself.
func command(t *testing.T, stdin string, args ...string) (stdout string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs, lookup: func(string) (string, bool) { return "", false }}
	code = a.main(t.Context(), args)
	return out.String() + errs.String(), code
}
