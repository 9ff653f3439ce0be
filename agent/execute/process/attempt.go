package process

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/execute/guard"
)

// lastWords is how long output is still read when some process that was not
// killed may hold it open.
const lastWords = time.Second

// attempt is one guard and what runs below it. Everything but the channels and
// activity belongs to the goroutine supervise until done is closed.
type attempt struct {
	spec     execute.Spec
	activity *activity
	guard    *exec.Cmd
	control  io.WriteCloser
	events   io.ReadCloser
	output   sync.WaitGroup
	graces   chan time.Duration // the latest stop, on its way to the guard

	clocks *clocks
	pipes  []*os.File // the step's stdout and stderr

	stops  chan time.Duration
	done   chan struct{}
	result execute.Result

	reason execute.End // why we stopped it, empty while we have not
	pid    int
}

func (a *attempt) Stop(grace time.Duration) {
	select {
	case a.stops <- grace:
	case <-a.done:
	}
}

func (a *attempt) Wait() execute.Result {
	<-a.done
	return a.result
}

// supervise keeps the attempt's clocks until its guard is gone.
func (a *attempt) supervise(ctx context.Context) {
	events := a.listen()
	a.clocks = newClocks(a.spec.Limits)
	defer a.clocks.stop()
	canceled := ctx.Done()
	for {
		select {
		case event, open := <-events:
			if !open {
				a.conclude()
				return
			}
			a.take(event)
		case grace := <-a.stops:
			a.stop(execute.EndStopped, grace)
		case <-canceled:
			canceled = nil
			a.stop(execute.EndStopped, 0)
		case <-a.clocks.start.C:
			// The guard hangs, or its machine does: no grace, since there is no
			// step yet to use it.
			a.stop(execute.EndStartLimit, 0)
		case <-a.clocks.hang.C:
			_ = a.guard.Process.Kill()
		case <-a.clocks.run.C:
			a.stop(execute.EndRunLimit, a.spec.Limits.Grace)
		case <-a.clocks.progress.C:
			if idle := a.activity.idle(time.Now()); idle < a.spec.Limits.Progress {
				a.clocks.progress.Reset(a.spec.Limits.Progress - idle)
				continue
			}
			a.stop(execute.EndStale, a.spec.Limits.Grace)
		}
	}
}

// listen turns the guard's reports into a channel that is closed with its end.
func (a *attempt) listen() <-chan guard.Event {
	events := make(chan guard.Event)
	go func() {
		defer close(events)
		decoder := json.NewDecoder(a.events)
		for {
			var event guard.Event
			if err := decoder.Decode(&event); err != nil {
				return
			}
			events <- event
		}
	}()
	return events
}

// take notes what the guard reports.
func (a *attempt) take(event guard.Event) {
	r := &a.result
	switch {
	case event.Started != nil:
		a.pid = event.Started.PID
		r.Started = time.Now()
		a.activity.note()
		a.clocks.started(a.spec.Limits)
	case event.NotStarted != nil:
		a.clocks.stop()
		r.End, r.ExitCode = execute.EndNotStarted, event.NotStarted.Code
		r.Err = errors.New(event.NotStarted.Text)
	case event.Ended != nil:
		a.clocks.stop()
		ended := event.Ended
		// The guard's clock ran on if the agent was frozen meanwhile.
		r.Finished = r.Started.Add(ended.Ran)
		r.ExitCode, r.Signal, r.CPU, r.MaxRSS = ended.Code, ended.Signal, ended.CPU, ended.MaxRSS
		switch {
		case ended.Stopped && a.reason != "":
			r.End = a.reason
		case ended.Signal != "":
			r.End = execute.EndSignaled
		default:
			r.End = execute.EndExited
		}
	case event.Clean != nil:
		r.Left = event.Clean.Left
	}
}

// tell writes to the guard: the order, then stops. It is a goroutine of its own
// because an order may be larger than a pipe holds and a guard may hang. Errors
// need no care: a guard that is gone says so by the end of its events.
func (a *attempt) tell(order guard.Order) {
	encoder := json.NewEncoder(a.control)
	_ = encoder.Encode(order)
	for {
		select {
		case grace := <-a.graces:
			_ = encoder.Encode(guard.Stop{Grace: grace})
		case <-a.done:
			return
		}
	}
}

// stop has the guard end the step. The first reason stands, the shortest grace
// wins (the guard sees to that).
func (a *attempt) stop(reason execute.End, grace time.Duration) {
	if a.reason == "" {
		a.reason = reason
	}
	grace = max(0, grace)
	if grace == 0 && a.pid == 0 {
		arm(a.clocks.hang, hangLimit)
	}
	select {
	case waiting := <-a.graces:
		grace = min(grace, waiting)
	default:
	}
	a.graces <- grace // this goroutine alone fills it, so there is room
}

// conclude cleans up after the guard and closes the attempt.
func (a *attempt) conclude() {
	waitErr := a.guard.Wait()
	_ = a.control.Close()
	_ = a.events.Close()
	if a.result.End == "" {
		a.broken(waitErr)
	}
	if a.result.End == execute.EndBroken || len(a.result.Left) > 0 {
		// The pipes end when their last holder does. What nobody can or could
		// kill may hold them for ever.
		for _, pipe := range a.pipes {
			_ = pipe.SetReadDeadline(time.Now().Add(lastWords))
		}
	}
	a.output.Wait()
	close(a.done)
}

// broken handles a guard that went without telling an end: somebody killed it.
// The kernel kills the step then; its process group is ours to kill.
func (a *attempt) broken(err error) {
	if a.pid != 0 {
		_ = syscall.Kill(-a.pid, syscall.SIGKILL)
		a.result.Finished = time.Now()
	}
	a.result.End, a.result.ExitCode = execute.EndBroken, -1
	a.result.Err = errors.New("its guard ended early")
	if err != nil {
		a.result.Err = errors.Join(a.result.Err, err)
	}
	if a.reason != "" && a.pid == 0 {
		a.result.End = a.reason // we stopped it before there was a step
	}
}

// copy moves output until its last writer is gone. A writer's error must not
// end the copying: the step would die of SIGPIPE for a full log disk.
func (a *attempt) copy(to io.Writer, from *os.File) {
	defer from.Close() //nolint:errcheck // only read from
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			a.activity.note()
			if to != nil {
				_, _ = to.Write(buffer[:n])
			}
		}
		if err != nil {
			return
		}
	}
}
