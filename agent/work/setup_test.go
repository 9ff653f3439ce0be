package work_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/signalboxhq/signalbox/agent/artifact"
	"github.com/signalboxhq/signalbox/agent/execute/guard"
	"github.com/signalboxhq/signalbox/agent/execute/process"
	"github.com/signalboxhq/signalbox/agent/fakeplane"
	"github.com/signalboxhq/signalbox/agent/gpu"
	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/logs"
	"github.com/signalboxhq/signalbox/agent/policy"
	"github.com/signalboxhq/signalbox/agent/secret"
	"github.com/signalboxhq/signalbox/agent/spool"
	"github.com/signalboxhq/signalbox/agent/value"
	"github.com/signalboxhq/signalbox/agent/work"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "step-guard" {
		os.Exit(guard.Main())
	}
	os.Exit(m.Run())
}

// canary is a text that must never leave in the clear.
const canary = "CANARY-7f3e9c"

// testBundle is one plane and one agent that a test may start, end and start
// again in the same folder.
type testBundle struct {
	plane   *fakeplane.Plane
	dir     string
	slots   int
	policy  *policy.Policy
	environ map[string]string
	run     id.UUID
	log     *syncBuffer

	logs     *logs.Store
	address  string
	gpus     gpu.Found
	findGPUs func(context.Context) gpu.Found

	keyring *value.Keyring
	worker  *work.Worker
	ended   chan error
	cancel  context.CancelFunc
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// setup gives an agent that is not started yet.
func setup(t *testing.T) *testBundle {
	t.Helper()
	return &testBundle{
		plane: fakeplane.Start(t), dir: t.TempDir(), slots: 2, policy: policy.All(), run: id.New(), log: &syncBuffer{},
		environ: map[string]string{},
	}
}

// start starts the agent; it is killed with the test if it still runs.
func (b *testBundle) start(t *testing.T) *testBundle {
	t.Helper()
	path := filepath.Join(b.dir, "identity.json")
	identity, err := link.LoadIdentity(path)
	require.NoError(t, err)
	client := link.NewClient(link.Options{Server: b.plane.URL, Identity: identity, Path: path})
	if !identity.Enrolled() {
		require.NoError(t, client.Enroll(t.Context(), fakeplane.Token, "test", "v0"))
	}
	parts := work.Parts{
		Client: client, Executor: process.New(process.Self("step-guard")), Policy: b.policy,
		Log: slog.New(slog.NewTextHandler(b.log, nil)),
		Secrets: secret.NewStore(func(name string) (string, bool) {
			value, ok := b.environ[name]
			return value, ok
		}, b.dir),
	}
	parts.Logs, err = logs.Open(filepath.Join(b.dir, "logs"), logs.Options{})
	require.NoError(t, err)
	parts.Artifacts, err = artifact.Open(filepath.Join(b.dir, "artifacts"), identity.Agent, false)
	require.NoError(t, err)
	parts.Spool, err = spool.Open(filepath.Join(b.dir, "spool"))
	require.NoError(t, err)
	parts.Keyring, err = value.OpenKeyring(filepath.Join(b.dir, "workspace.keys"))
	require.NoError(t, err)
	b.logs, b.keyring = parts.Logs, parts.Keyring
	b.worker, err = work.New(work.Config{
		Server: b.plane.URL, Dir: b.dir, Capacity: link.Capacity{Slots: b.slots, CPUMillis: 4000, MemoryBytes: 1 << 30},
		Version: "v0", Sources: b.dir, Env: []string{"PATH=" + os.Getenv("PATH")}, Labels: map[string]string{"zone": "test"},
		Address: b.address, GPUs: b.gpus, FindGPUs: b.findGPUs, FindEvery: 20 * time.Millisecond,
	}, parts)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	b.cancel, b.ended = cancel, make(chan error, 1)
	worker, ended := b.worker, b.ended
	go func() {
		ended <- worker.Run(ctx)
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		err := <-ended // nil if the test has seen it
		if t.Failed() {
			t.Log(err, b.log.String())
		}
	})
	return b
}

// end kills what runs and waits for the agent's end.
func (b *testBundle) end(t *testing.T) {
	t.Helper()
	b.cancel()
	require.NoError(t, <-b.ended)
}

// deploy stores a plan with the given tasks.
func (b *testBundle) deploy(t *testing.T, tasks ...plan.Task) string {
	t.Helper()
	return b.plane.Deploy(&plan.Plan{
		Name: "p", Tasks: tasks,
		Params: []plan.Param{{Name: "word", Type: plan.TypeString}, {Name: "n", Type: plan.TypeInt, Open: true, Default: json.RawMessage("3")}},
	})
}

// attempt queues the first attempt of a task that is a plan of its own, in a run
// of its own.
func (b *testBundle) attempt(t *testing.T, task plan.Task, params ...*runv1.Value) int64 {
	t.Helper()
	if task.Name == "" {
		task.Name = "step"
	}
	b.run = id.New()
	return b.plane.Queue(fakeplane.Attempt{Version: b.deploy(t, task), Run: b.run, Task: task.Name, Params: params})
}

// script queues a shell script.
func (b *testBundle) script(t *testing.T, script string) int64 {
	t.Helper()
	return b.attempt(t, plan.Task{Run: script})
}

// sealed is a value as a browser seals it.
func (b *testBundle) sealed(t *testing.T, name, raw string) *runv1.Value {
	t.Helper()
	_, public := b.awaitKey()
	key, err := seal.ParsePublicKey(public)
	require.NoError(t, err)
	envelope, err := seal.NewSender(key, time.Now, rand.Reader).
		Seal(seal.Binding{Org: b.plane.Org, Workspace: b.plane.Workspace, Name: "params." + name}, []byte(raw))
	require.NoError(t, err)
	return &runv1.Value{Name: name, Type: "string", Content: &runv1.Value_Sealed{Sealed: envelope}}
}

// awaitKey waits until the agent has offered the workspace's key.
func (b *testBundle) awaitKey() (string, []byte) {
	b.plane.Opened(1)
	return b.plane.SealingKey()
}

// open opens what the agent sealed.
func (b *testBundle) open(t *testing.T, name string, envelope []byte) string {
	t.Helper()
	raw, err := b.keyring.Ring().Open(seal.Binding{Org: b.plane.Org, Workspace: b.plane.Workspace, Name: name}, envelope)
	require.NoError(t, err)
	return string(raw)
}

// awaitSpooled waits until an outcome waits in the spool. The watch is on the
// folder itself, since the control plane is away when this is asked.
func (b *testBundle) awaitSpooled(t *testing.T) {
	t.Helper()
	watch, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	require.NoError(t, err)
	defer unix.Close(watch) //nolint:errcheck // a test's own
	dir := filepath.Join(b.dir, "spool")
	_, err = unix.InotifyAddWatch(watch, dir, unix.IN_MOVED_TO)
	require.NoError(t, err)
	for {
		files, err := filepath.Glob(filepath.Join(dir, "*.outcome"))
		require.NoError(t, err)
		if len(files) > 0 {
			return
		}
		_, err = unix.Read(watch, make([]byte, 4096))
		require.NoError(t, err)
	}
}

// logText is the log of a first attempt.
func (b *testBundle) logText(t *testing.T, task string) string {
	t.Helper()
	reader, err := b.logs.Read(logs.Key{Run: id.Format(id.Run, b.run), Task: task, Attempt: 1}, 0)
	require.NoError(t, err)
	var text strings.Builder
	for {
		records, err := reader.Next(t.Context(), false)
		if err != nil {
			return text.String()
		}
		for _, r := range records {
			text.WriteString(string(r.Stream) + ": " + r.Text)
		}
	}
}

// gate is a named pipe in which a step waits until the test lets it go on.
func (b *testBundle) gate(t *testing.T, name string) (script string, open func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	return "read _ < " + path + "\n", func() {
		require.NoError(t, os.WriteFile(path, []byte("go\n"), 0o600))
	}
}

// reached is a named pipe by which a step tells the test that it is so far.
func (b *testBundle) reached(t *testing.T, name string) (script string, wait func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	return "echo > " + path + "\n", func() {
		_, err := os.ReadFile(path)
		require.NoError(t, err)
	}
}

func requireOutcome(t *testing.T, report *agentv1.AttemptReport, outcome, cause, reason string) {
	t.Helper()
	require.Equal(t, []string{outcome, cause}, []string{report.GetOutcome(), report.GetCause()}, report.GetReason())
	require.Contains(t, report.GetReason(), reason)
}
