package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/follow"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// latest is the run that is meant where none is named by a command that only
// reads.
const latest = "@latest"

func (a *app) runCommand() *cobra.Command {
	return group("run", "Runs: start them, follow them, stop them",
		a.runStartCommand(), a.runLocalCommand(), a.runListCommand(), a.runGetCommand(), a.watchCommand(), a.runWaitCommand(),
		a.cancelCommand(), a.runPauseCommand(), a.runSuspendCommand(), a.runResumeCommand(), a.runSignalCommand(),
		a.logsCommand(), a.retryCommand(), a.unblockCommand(), a.runValuesCommand(),
		a.runExplainCommand(), a.runHistoryCommand(), a.runReplayCommand(), a.runDiffCommand())
}

// runHelp explains how runs are named.
const runHelp = `
RUN is an id (run_…), @latest, @failed (the newest that failed), or
PIPELINE#NUMBER.`

// resolveRun gives the id of a run that may be named otherwise. Only the service
// knows what @latest is.
func resolveRun(ctx context.Context, api *client.Clients, ref string) (string, error) {
	if kind, ok := id.KindOf(ref); ok && kind == id.Run {
		return ref, nil
	}
	res, err := api.Run.GetRun(client.Preparing(ctx), &runv1.GetRunRequest{Id: ref})
	if err != nil {
		return "", err
	}
	return res.GetRun().GetId(), nil
}

func (a *app) runGetCommand() *cobra.Command {
	var at string
	var tasks tasksFlag
	c := a.command("get [RUN]", "Show a run and its tasks, as it stands or stood", upTo(0, "RUN"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		all, err := tasks.all()
		if err != nil {
			return err
		}
		if at != "" {
			return a.showAt(ctx, api, argument(args, 0, latest), at)
		}
		res, err := api.Run.GetRun(ctx, &runv1.GetRunRequest{Id: argument(args, 0, latest)})
		if err != nil {
			return err
		}
		if all {
			if res.Tasks, err = expand(ctx, api, res.GetRun().GetId(), res.GetTasks()); err != nil {
				return err
			}
		}
		return a.print(a.runView(res))
	})
	tasks.add(c)
	c.Aliases = []string{"show"}
	c.Long = "Show a run and its tasks, as it stands; with --at as it stood at a moment, or after\nan entry of its journal (`signalbox run history` has their numbers)." + runHelp
	c.Example = `  signalbox run show @failed
  signalbox run show fraud-train#12 --at 2026-11-20T08:00:00Z
  signalbox run show fraud-train#12 --at 10m
  signalbox run show fraud-train#12 --at 57`
	c.Flags().StringVar(&at, "at", "", "as it stood at this `TIME` (RFC 3339, or so long ago: 10m) or after this entry (a number)")
	c.ValidArgsFunction = a.completeRuns
	return c
}

func (a *app) cancelCommand() *cobra.Command {
	var force bool
	c := a.command("cancel RUN", "Stop a run: its steps are asked to end, exit handlers run", oneArg("RUN"), func(ctx context.Context, args []string) error {
		return a.changeRun(ctx, args[0], func(api *client.Clients, id string) (*runv1.Run, output.View, error) {
			res, err := api.Run.CancelRun(ctx, &runv1.CancelRunRequest{Id: id, Force: force})
			return res.GetRun(), output.View{Answer: res}, err
		})
	})
	c.Long = "Stop a run: its steps are asked to end (SIGTERM, then SIGKILL), exit handlers\nrun. Canceling a canceled run is fine." + runHelp
	c.Flags().BoolVar(&force, "force", false, "do not wait for the steps, and skip the exit handlers")
	c.ValidArgsFunction = a.completeRuns
	return c
}

func (a *app) retryCommand() *cobra.Command {
	var watch bool
	c := a.command("retry RUN", "Run again what failed and all that hangs on it", oneArg("RUN"), func(ctx context.Context, args []string) error {
		started := ""
		err := a.changeRun(ctx, args[0], func(api *client.Clients, id string) (*runv1.Run, output.View, error) {
			res, err := api.Run.RetryRun(ctx, &runv1.RetryRunRequest{Id: id})
			started = res.GetRun().GetId()
			return res.GetRun(), output.View{Answer: res}, err
		})
		if err != nil || !watch {
			return err
		}
		return a.watchRun(ctx, started, stopOnEnd)
	})
	c.Long = "Run again what failed and all that hangs on it, in the same run; what succeeded\nis kept." + runHelp
	c.Flags().BoolVar(&watch, "watch", false, "watch the run until it ends")
	c.ValidArgsFunction = a.completeRuns
	return c
}

// changeRun resolves a run, changes it and shows what became of it.
func (a *app) changeRun(ctx context.Context, ref string, change func(*client.Clients, string) (*runv1.Run, output.View, error)) error {
	api, err := a.api()
	if err != nil {
		return err
	}
	runID, err := resolveRun(ctx, api, ref)
	if err != nil {
		return err
	}
	run, view, err := change(api, runID)
	if err != nil {
		return err
	}
	view.Names = []string{run.GetId()}
	state := output.State(follow.StateOfRun(run))
	return a.done(view, "%s  %s  %s", runName(run), a.painter().Paint(state.Tone, state.Text), run.GetId())
}

func (a *app) openCommand() *cobra.Command {
	c := a.command("open [RUN]", "Open a run in the browser", upTo(0, "RUN"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		s, err := a.settings()
		if err != nil {
			return err
		}
		runID, err := resolveRun(ctx, api, argument(args, 0, latest))
		if err != nil {
			return err
		}
		where, err := a.place(ctx, api, s)
		if err != nil {
			return err
		}
		page := runPage(s.Server.Value, where, runID)
		if _, err := a.out.Write([]byte(page + "\n")); err != nil {
			return errors.Join(errors.New("write the address"), err)
		}
		if !a.opts.Terminal.Out {
			return nil // a script wants the address, not a browser
		}
		return a.opts.Browse(page)
	})
	c.Long = "Print the address of a run's page and open it in the browser." + runHelp
	c.ValidArgsFunction = a.completeRuns
	return c
}

// runPage is the address of a run in the web app.
func runPage(server string, where place, runID string) string {
	return strings.TrimRight(server, "/") + "/o/" + where.org.GetSlug() + "/w/" + where.ws.GetSlug() + "/runs/" + runID
}
