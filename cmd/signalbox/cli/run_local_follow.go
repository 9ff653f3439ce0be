package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/follow"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// follow shows the run until it ends. It goes on when ctx ends: that cancels the
// run, which then ends.
func (l *localCommand) follow(ctx context.Context) error {
	alive, done := context.WithCancel(context.WithoutCancel(ctx))
	defer done()
	l.screen = &localScreen{out: l.out, painter: l.painter(), now: l.now, done: make(chan struct{})}
	if l.opts.Terminal.Out && !l.flags.structured() {
		l.screen.tree = &follow.Screen{Out: l.out, Size: l.opts.Terminal.Size}
	}
	l.out = l.screen
	go l.obey(alive, ctx.Done())
	logging, stopLogs := context.WithCancel(alive)
	defer stopLogs()
	logged := make(chan error, 1)
	if l.flags.structured() {
		logged <- nil
	} else {
		go func() { logged <- l.followLogs(logging) }()
	}
	asks := &localAsk{localCommand: l, asked: map[string]bool{}}
	end := l.watchLocal(alive, asks)
	// The last lines of logs are on their way.
	wait := time.NewTimer(lastLogs)
	defer wait.Stop()
	l.screen.over()
	select {
	case err := <-logged:
		end = errors.Join(end, err)
	case <-wait.C:
		stopLogs()
		end = errors.Join(end, <-logged)
	}
	var quiet *exit.QuietError
	if end != nil && !errors.As(end, &quiet) {
		return end
	}
	if err := l.showEnd(alive); err != nil {
		return err
	}
	if asks.left() {
		return exit.New(exit.RunWaiting, "the run waited for an approval, and nobody can be asked here").Advise("--yes approves whatever asks for it")
	}
	return end
}

// lastLogs is how long the end of a run waits for the ends of its logs.
const lastLogs = 10 * time.Second

// watchLocal shows each state of the run.
func (l *localCommand) watchLocal(ctx context.Context, asks *localAsk) error {
	p, err := l.printer()
	if err != nil {
		return err
	}
	log := &follow.Log{Painter: l.painter()}
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	ticking, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for {
			select {
			case <-clock.C:
				l.screen.draw(nil)
			case <-ticking.Done():
				return
			}
		}
	}()
	lacking := map[string]bool{}
	return l.followRun(ctx, l.runID, stopOnEnd, func(res *runv1.WatchRunResponse) error {
		asks.see(ctx, res)
		for _, t := range res.GetTasks() {
			if t.GetState() == "ready" && t.GetReason() != "" && !lacking[t.GetName()] {
				lacking[t.GetName()] = true
				l.say(t.GetName() + " waits: " + t.GetReason())
			}
		}
		switch {
		case p.Format.Structured():
			return p.Event(res)
		case l.screen.tree != nil:
			l.screen.draw(res)
			return nil
		}
		if lines := log.Lines(res, l.now()); len(lines) > 0 {
			return l.screen.print(strings.Join(lines, "\n") + "\n")
		}
		return nil
	})
}

// showEnd shows the run as it ended: its tree, and what it left.
func (l *localCommand) showEnd(ctx context.Context) error {
	res, err := l.local.Run.GetRun(ctx, &runv1.GetRunRequest{Id: l.runID})
	if err != nil {
		return err
	}
	if !l.flags.structured() {
		last := &runv1.WatchRunResponse{Run: res.GetRun(), Tasks: res.GetTasks()}
		if err := l.screen.end(last); err != nil {
			return err
		}
	}
	return l.showValues(ctx)
}

// obey cancels the run at the first Ctrl-C, and by force at the second.
func (l *localCommand) obey(ctx context.Context, over <-chan struct{}) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	told, heard, asked := 0, 0, 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-over:
			over, asked = nil, 1 // by the same Ctrl-C, or by whoever called this
		case <-signals:
			heard++
		}
		if max(heard, asked) == told {
			continue
		}
		told = max(heard, asked)
		if told == 1 {
			l.say("Canceling: steps are asked to end, exit handlers run. Ctrl-C again does not wait for them.")
		}
		// A run that has only its exit handlers left can be ended by force only.
		_, _ = l.local.Run.CancelRun(ctx, &runv1.CancelRunRequest{Id: l.runID, Force: told > 1})
	}
}

// say tells something without spoiling what is drawn.
func (l *localCommand) say(text string) {
	l.screen.beside(func() { l.note("%s", text) })
}

// maxLocalLogs bounds how many logs are read at once.
const maxLocalLogs = 32

// followLogs prints the logs of all attempts as they are written, until the run
// has ended and its logs are read.
func (l *localCommand) followLogs(ctx context.Context) error {
	p, err := l.printer()
	if err != nil {
		return err
	}
	printers := &localLogs{of: map[id.UUID]*logPrinter{}, make: func(nested string) *logPrinter {
		var tasks []*runv1.Task
		for i := range l.plan.Tasks {
			tasks = append(tasks, &runv1.Task{Name: l.plan.Tasks[i].Name})
		}
		one := newLogPrinter(p, l.out, false, "", tasks)
		if one.prefix = true; nested != "" {
			one.before = nested + "/"
		}
		return one
	}}
	readers, ctx := errgroup.WithContext(ctx)
	readers.SetLimit(maxLocalLogs)
	for known := 0; ; {
		ended := l.screen.ended() // before looking: what has started by then is read
		started, changed := l.run.Started(known)
		known += len(started)
		for _, x := range started {
			readers.Go(func() error {
				if err := l.logsOf(id.Format(id.Run, x.Run), printers.printer(x)).readOrSay(ctx, x.Task, x.Attempt); ctx.Err() == nil {
					return err
				}
				return nil // the run has ended, and nobody waits any more
			})
		}
		if ended {
			return readers.Wait()
		}
		select {
		case <-changed:
		case <-l.screen.done:
		case <-ctx.Done():
			return readers.Wait()
		}
	}
}
