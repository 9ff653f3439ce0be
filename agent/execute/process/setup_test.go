package process_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/execute/guard"
	"github.com/signalboxhq/signalbox/agent/execute/process"
)

// long is a limit that no test waits for: reaching it means the test hangs.
const long = time.Minute

// TestMain lets the test binary play the other two processes of the story: the
// guard, and an agent that a test can kill.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "step-guard":
			os.Exit(guard.Main())
		case "agent":
			playAgent(os.Args[2], os.Args[3])
		case "step":
			playStep(os.Args[2])
		}
	}
	os.Exit(m.Run())
}

// playAgent runs one script and waits for it, like an agent with one slot.
func playAgent(dir, script string) {
	attempt, err := newExecutor().Start(context.Background(), execute.Spec{
		Name: "played", Script: script, Dir: dir, Env: []string{"PATH=" + os.Getenv("PATH")},
		Limits: execute.Limits{Grace: time.Millisecond},
	})
	if err != nil {
		os.Exit(3)
	}
	attempt.Wait()
	os.Exit(0)
}

// playStep is a step that hears TERM, and says so. (A shell that waits for a
// sleep would not do: a TERM between the fork and the exec of the sleep is lost.)
func playStep(how string) {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	_, _ = fmt.Fprintln(os.Stdout, "ready")
	<-term
	_, _ = fmt.Fprintln(os.Stdout, "heard")
	switch how {
	case "stubborn":
		select {}
	case "orderly":
		os.Exit(5)
	case "late":
		if err := os.WriteFile("cleaned", nil, 0o600); err != nil {
			os.Exit(3)
		}
		os.Exit(0)
	}
}

func newExecutor() *process.Executor { return process.New(process.Self("step-guard")) }

type testBundle struct {
	dir    string
	stdout *lines
	stderr *bytes.Buffer
	spec   execute.Spec
}

// lines is output that a test can wait for.
type lines struct {
	*io.PipeReader
	*io.PipeWriter
	read []byte
}

func (l *lines) Write(p []byte) (int, error) { return l.PipeWriter.Write(p) }

// until reads output until it contains the text.
func (l *lines) until(t *testing.T, text string) {
	t.Helper()
	buffer := make([]byte, 1024)
	for !bytes.Contains(l.read, []byte(text)) {
		n, err := l.Read(buffer)
		l.read = append(l.read, buffer[:n]...)
		require.NoError(t, err, string(l.read))
	}
}

// rest reads on to the end, which the test must have made with Close.
func (l *lines) rest() { go func() { _, _ = io.Copy(io.Discard, l.PipeReader) }() }

func setup(t *testing.T, script string) *testBundle {
	t.Helper()
	b := &testBundle{dir: t.TempDir(), stderr: &bytes.Buffer{}, stdout: &lines{}}
	b.stdout.PipeReader, b.stdout.PipeWriter = io.Pipe()
	b.spec = execute.Spec{
		Name: t.Name(), Script: script, Dir: b.dir, Env: []string{"PATH=" + os.Getenv("PATH")},
		Stdout: b.stdout, Stderr: b.stderr,
		Limits: execute.Limits{Start: long, Grace: long},
	}
	return b
}

// setupStep has this test binary play the step.
func setupStep(t *testing.T, how string) *testBundle {
	t.Helper()
	b := setup(t, "")
	b.spec.Script, b.spec.Argv = "", []string{os.Args[0], "step", how}
	return b
}

func (b *testBundle) start(t *testing.T) execute.Attempt {
	t.Helper()
	attempt, err := newExecutor().Start(t.Context(), b.spec)
	require.NoError(t, err)
	return attempt
}

func (b *testBundle) run(t *testing.T) execute.Result {
	t.Helper()
	b.spec.Stdout = io.Discard
	return b.start(t).Wait()
}

// fifo makes a named pipe whose readers see its end when no process holds it
// open for writing any more: the way to know, without polling, that nothing of
// a step is left.
func fifo(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "held")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	return path
}
