package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/follow"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (a *app) watchCommand() *cobra.Command {
	var exitOn string
	var tasks tasksFlag
	c := a.command("watch [RUN]", "Watch a run until it ends", upTo(0, "RUN"), func(ctx context.Context, args []string) error {
		stop, err := exitOnOf(exitOn)
		if err != nil {
			return err
		}
		all, err := tasks.all()
		if err != nil {
			return err
		}
		watcher := *a
		watcher.allTasks = all
		return watcher.watchRun(ctx, argument(args, 0, latest), stop)
	})
	tasks.add(c)
	c.Long = `Watch a run until it ends: as a tree on a terminal, else line by line, with
--json as one message a line. The exit code is 0 where it succeeded, 9 where it
failed, 11 where it was canceled. Ctrl-C ends the watching, not the run.` + runHelp
	c.Flags().StringVar(&exitOn, "exit-on", "end", "`WHEN` to stop watching: end, failing (exit code 10 at the first failed task), or approval (12 as soon as it waits for people only)")
	c.ValidArgsFunction = a.completeRuns
	return c
}

func (a *app) runWaitCommand() *cobra.Command {
	var exitOn string
	var timeout time.Duration
	c := a.command("wait [RUN]", "Wait in silence until a run ends", upTo(0, "RUN"), func(ctx context.Context, args []string) error {
		stop, err := exitOnOf(exitOn)
		if err != nil {
			return err
		}
		return a.waitRun(ctx, argument(args, 0, latest), stop, timeout)
	})
	c.Long = `Wait until a run ends, and show how. The exit code is 0 where it succeeded, 9
where it failed, 11 where it was canceled, 75 where --timeout came first, or 12
if all that it waited for then was an approval.` + runHelp
	c.Flags().StringVar(&exitOn, "exit-on", "end", "`WHEN` to stop waiting: end, failing (exit code 10 at the first failed task), or approval (12 as soon as it waits for people only)")
	c.Flags().DurationVar(&timeout, "timeout", 0, "wait no longer than this `DURATION`, as 30m")
	c.ValidArgsFunction = a.completeRuns
	return c
}

// stopOn says what ends the following of a run before its own end.
type stopOn string

const (
	stopOnEnd      stopOn = "end"
	stopOnFailing  stopOn = "failing"
	stopOnApproval stopOn = "approval"
)

func exitOnOf(text string) (stopOn, error) {
	switch s := stopOn(text); s {
	case stopOnEnd, stopOnFailing, stopOnApproval:
		return s, nil
	}
	return "", exit.Usagef("--exit-on: want end, failing or approval, got %q", text)
}

// early is the exit code with which a run is left before its end, or OK.
func (s stopOn) early(res *runv1.WatchRunResponse) exit.Code {
	switch {
	case follow.Terminal(res.GetRun().GetState()):
	case s == stopOnFailing && follow.Failing(res.GetTasks()):
		return exit.RunFailing
	case s == stopOnApproval && follow.Asking(res.GetTasks()):
		return exit.RunWaiting
	}
	return exit.OK
}

// errEarly ends the following of a run before its end.
var errEarly = errors.New("the run is followed no further")

// watchRun shows a run until it ends, in the form that fits the output.
func (a *app) watchRun(ctx context.Context, ref string, stop stopOn) error {
	p, err := a.printer()
	if err != nil {
		return err
	}
	switch {
	case p.Format == output.Name:
		return exit.Usagef("-o name does not fit a run that is watched")
	case p.Format.Structured():
		return a.followRun(ctx, ref, stop, func(res *runv1.WatchRunResponse) error { return p.Event(res) })
	case a.opts.Terminal.Out:
		return a.watchTree(ctx, ref, stop)
	}
	return a.watchLines(ctx, ref, stop)
}

// watchLines tells each change in a line, and the whole at the end.
func (a *app) watchLines(ctx context.Context, ref string, stop stopOn) error {
	log := &follow.Log{Painter: a.painter()}
	write := func(lines []string) error {
		if len(lines) == 0 {
			return nil
		}
		_, err := fmt.Fprintln(a.out, strings.Join(lines, "\n"))
		return err
	}
	return a.followRun(ctx, ref, stop, func(res *runv1.WatchRunResponse) error {
		if err := write(log.Lines(res, a.now())); err != nil || !follow.Terminal(res.GetRun().GetState()) {
			return err
		}
		return write(append([]string{""}, follow.Tree(a.painter(), res, a.now())...))
	})
}

// watchTree draws the tree at every change, and each second in between so that
// its clocks go on.
func (a *app) watchTree(ctx context.Context, ref string, stop stopOn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	news := make(chan *runv1.WatchRunResponse)
	ended := make(chan error, 1)
	go func() {
		ended <- a.followRun(ctx, ref, stop, func(res *runv1.WatchRunResponse) error {
			select {
			case news <- res:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	screen := &follow.Screen{Out: a.out, Size: a.opts.Terminal.Size}
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	var last *runv1.WatchRunResponse
	draw := func() {
		if last != nil {
			screen.Draw(follow.Tree(a.painter(), last, a.now()))
		}
	}
	for {
		select {
		case last = <-news:
			draw()
		case <-clock.C:
			draw()
		case err := <-ended:
			return err
		}
	}
}

// followRun hands on each state of a run. It returns how the run ended as a
// Quiet error: it has been shown.
func (a *app) followRun(ctx context.Context, ref string, stop stopOn, each func(*runv1.WatchRunResponse) error) error {
	api, err := a.api()
	if err != nil {
		return err
	}
	runID, err := resolveRun(ctx, api, ref)
	if err != nil {
		return err
	}
	early := exit.OK
	last, err := a.watch(api, runID).Each(ctx, func(res *runv1.WatchRunResponse) error {
		if a.allTasks {
			if res.Tasks, err = expand(ctx, api, runID, res.GetTasks()); err != nil {
				return err
			}
		}
		if err := each(res); err != nil {
			return err
		}
		if early = stop.early(res); early != exit.OK {
			return errEarly
		}
		return nil
	})
	switch {
	case errors.Is(err, errEarly):
		return &exit.QuietError{Code: early}
	case err != nil && ctx.Err() != nil && last != nil && !a.flags.structured():
		return exit.New(exit.Interrupted, "no longer watching; the run goes on").Because(ctx.Err()).
			Advise("`signalbox watch %s` watches it again, `signalbox cancel %s` stops it", runID, runID)
	case err != nil:
		return err
	}
	return endOf(last.GetRun())
}

func (a *app) watch(api *client.Clients, runID string) follow.Watch {
	return follow.Watch{
		Open: func(ctx context.Context) (follow.Stream, error) {
			return api.Run.WatchRun(ctx, &runv1.WatchRunRequest{Id: runID})
		},
		Delay: a.opts.RetryDelay,
		Lost:  func(err error) { a.note("The connection was lost (%s); trying again …", exit.From(err).Text) },
	}
}

// endOf is the exit code of a run that has ended, nil where it succeeded.
func endOf(r *runv1.Run) error {
	switch r.GetState() {
	case "succeeded":
		return nil
	case "canceled", "dropped":
		return &exit.QuietError{Code: exit.RunCanceled}
	}
	return &exit.QuietError{Code: exit.RunFailed}
}

func (a *app) waitRun(ctx context.Context, ref string, stop stopOn, timeout time.Duration) error {
	outer := ctx
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	var last *runv1.WatchRunResponse
	err := a.followRun(ctx, ref, stop, func(res *runv1.WatchRunResponse) error {
		last = res
		return nil
	})
	if ctx.Err() != nil && outer.Err() == nil {
		if follow.Asking(last.GetTasks()) {
			return exit.New(exit.RunWaiting, "the run waits for an approval, %s on", output.Duration(timeout)).
				Advise("`signalbox approval list` shows for which")
		}
		return exit.New(exit.Later, "the run has not ended after %s", output.Duration(timeout))
	}
	var quiet *exit.QuietError
	if err != nil && !errors.As(err, &quiet) {
		return err
	}
	r := last.GetRun()
	state := output.State(r.GetState())
	if printErr := a.done(output.View{Answer: last, Names: []string{r.GetId()}}, "%s  %s  %s",
		runName(r), a.painter().Paint(state.Tone, state.Text), r.GetId()); printErr != nil {
		return printErr
	}
	return err
}
