package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/execute/guard"
)

// DefaultGrace is the time between TERM and KILL where a task says none.
const DefaultGrace = 10 * time.Second

// orphanGrace is DefaultGrace's counterpart for steps whose agent died: the
// attempt is lost already, and a retry may wait for the same files.
const orphanGrace = 5 * time.Second

// Executor runs attempts as local processes. It has no state of its own.
type Executor struct {
	guard []string
}

// New returns an executor whose guards run as the given argv, which must lead
// to guard.Main in a process of its own.
func New(guardArgv []string) *Executor { return &Executor{guard: guardArgv} }

// Self is the argv of a guard that is this very binary with the given arguments.
// The path is the kernel's, so that an update that replaces the binary on disk
// does not mix two versions of the guard's protocol.
func Self(args ...string) []string {
	path := "/proc/self/exe"
	if _, err := os.Stat(path); err != nil {
		path = os.Args[0]
		if executable, err := os.Executable(); err == nil {
			path = executable
		}
	}
	return append([]string{path}, args...)
}

// Start begins an attempt.
func (e *Executor) Start(ctx context.Context, spec execute.Spec) (execute.Attempt, error) {
	argv, err := spec.Command()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	if spec.Limits.Grace <= 0 {
		spec.Limits.Grace = DefaultGrace
	}
	a := &attempt{
		spec:     spec,
		activity: newActivity(spec.Progress),
		stops:    make(chan time.Duration),
		graces:   make(chan time.Duration, 1),
		done:     make(chan struct{}),
	}
	if a.launch(e.guard, guard.Order{
		Argv: argv, Env: spec.Env, Dir: spec.Dir, OrphanGrace: min(orphanGrace, spec.Limits.Grace),
	}) {
		go a.supervise(ctx)
	}
	return a, nil
}

// launch starts the guard and hands it its order. An attempt whose guard cannot
// even be started has ended already; launch then returns false.
func (a *attempt) launch(guardArgv []string, order guard.Order) bool {
	err := a.connect(guardArgv)
	if err != nil {
		a.result = execute.Result{End: execute.EndBroken, ExitCode: -1, Err: err}
		close(a.done)
		return false
	}
	for i, to := range []io.Writer{a.spec.Stdout, a.spec.Stderr} {
		a.output.Go(func() { a.copy(to, a.pipes[i]) })
	}
	go a.tell(order)
	return true
}

// connect starts the guard with all its pipes.
func (a *attempt) connect(guardArgv []string) error {
	outR, outW, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer outW.Close() //nolint:errcheck // the guard holds it from here on
	errR, errW, err := os.Pipe()
	if err != nil {
		_ = outR.Close()
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer errW.Close() //nolint:errcheck // the guard holds it from here on
	cmd, control, events, err := guard.Command(guardArgv, outW, errW)
	if err != nil {
		_ = outR.Close()
		_ = errR.Close()
		return err
	}
	err = cmd.Start()
	for _, file := range cmd.ExtraFiles {
		_ = file.Close()
	}
	if err != nil {
		for _, end := range []io.Closer{outR, errR, control, events} {
			_ = end.Close()
		}
		return fmt.Errorf("start the guard: %w", err)
	}
	a.guard, a.control, a.events = cmd, control, events
	a.pipes = []*os.File{outR, errR}
	return nil
}
