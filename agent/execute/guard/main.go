package guard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Main is the whole of `signalbox-agent step-guard`. It returns the process's
// exit code: 0 when nothing of the step is left, 1 when the guard itself could
// not do its work. It must run on the main goroutine of a process of its own,
// since it reaps every child it has.
func Main() int {
	// PDEATHSIG fires when the *thread* that forked dies. The main thread lives
	// as long as the process.
	runtime.LockOSThread()
	// Ignored signals would stay ignored in the step; caught ones do not. The
	// channel is never read: the agent alone decides when a step ends, also
	// when a service manager signals every process of the service.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)

	control, events := os.NewFile(controlFD, "control"), os.NewFile(eventFD, "events")
	// Go's ForkExec closes what is not named, these must not be held by the step.
	syscall.CloseOnExec(controlFD)
	syscall.CloseOnExec(eventFD)

	decoder := json.NewDecoder(control)
	var order Order
	if err := decoder.Decode(&order); err != nil {
		return 1 // no order came: the agent died or is not an agent
	}
	if err := adoptOrphans(); err != nil {
		return 1
	}
	g := &guard{order: order, events: json.NewEncoder(events), stops: make(chan Stop)}
	pid, notStarted := g.fork()
	if notStarted != nil {
		g.say(Event{NotStarted: notStarted})
		return 0
	}
	g.started = time.Now()
	g.say(Event{Started: &Started{PID: pid}})
	go g.listen(decoder)
	g.tend(pid)
	return 0
}

type guard struct {
	order   Order
	events  *json.Encoder
	stops   chan Stop
	started time.Time
}

// say tells the agent; where the agent is gone there is nobody to tell.
func (g *guard) say(event Event) { _ = g.events.Encode(event) }

// listen turns the control pipe into stops; its end means that the agent died.
func (g *guard) listen(decoder *json.Decoder) {
	for {
		var stop Stop
		if err := decoder.Decode(&stop); err != nil {
			stop = Stop{Grace: g.order.OrphanGrace}
			g.stops <- stop
			return
		}
		g.stops <- stop
	}
}

// fork starts the step. The guard takes on the step's folder and PATH first, so
// that the command is looked up as the step would look it up.
func (g *guard) fork() (int, *NotStarted) {
	if err := os.Chdir(g.order.Dir); err != nil {
		return 0, &NotStarted{Text: fmt.Sprintf("the working folder: %v", err), Code: 126}
	}
	for _, pair := range g.order.Env {
		if path, ok := strings.CutPrefix(pair, "PATH="); ok {
			if err := os.Setenv("PATH", path); err != nil {
				return 0, &NotStarted{Text: fmt.Sprintf("its PATH: %v", err), Code: 126}
			}
		}
	}
	program, err := exec.LookPath(g.order.Argv[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return 0, refusal(g.order.Argv[0], err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, &NotStarted{Text: err.Error(), Code: 126}
	}
	defer null.Close() //nolint:errcheck // only read from
	pid, err := syscall.ForkExec(program, g.order.Argv, &syscall.ProcAttr{
		Dir:   g.order.Dir,
		Env:   g.order.Env,
		Files: []uintptr{null.Fd(), 1, 2},
		Sys:   stepAttributes(),
	})
	if err != nil {
		return 0, refusal(g.order.Argv[0], err)
	}
	return pid, nil
}

// refusal puts an exec error in a shell's terms: 127 not found, 126 not runnable.
func refusal(name string, err error) *NotStarted {
	if lookup, ok := errors.AsType[*exec.Error](err); ok {
		err = lookup.Err
	}
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return &NotStarted{Text: fmt.Sprintf("%s: command not found", name), Code: 127}
	case errors.Is(err, os.ErrNotExist):
		return &NotStarted{Text: fmt.Sprintf("%s: no such file, or its interpreter is missing", name), Code: 127}
	default:
		return &NotStarted{Text: fmt.Sprintf("%s: %v", name, err), Code: 126}
	}
}

// Command prepares a process that runs Main: argv is the agent's own binary
// with the argument that leads it there. The caller owns the returned pipe
// ends; closing control is what the agent's death does.
func Command(argv []string, stdout, stderr *os.File) (cmd *exec.Cmd, control io.WriteCloser, events io.ReadCloser, err error) {
	controlR, controlW, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("make the control pipe: %w", err)
	}
	eventR, eventW, err := os.Pipe()
	if err != nil {
		_ = controlR.Close()
		_ = controlW.Close()
		return nil, nil, nil, fmt.Errorf("make the event pipe: %w", err)
	}
	cmd = exec.Command(argv[0], argv[1:]...) //nolint:noctx // it must outlive any context to clean up
	cmd.Env = []string{}                     // the guard needs nothing of the agent's environment, the step gets its own
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.ExtraFiles = []*os.File{controlR, eventW}
	// A session of its own: Ctrl-C at the agent's terminal must reach the agent
	// alone, which then drains.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, controlW, eventR, nil
}
