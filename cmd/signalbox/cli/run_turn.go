package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (a *app) runPauseCommand() *cobra.Command {
	c := a.pauseWith("pause RUN", "Start nothing more of a run; what runs, runs on", false)
	c.Long = `Start nothing more of a run. What runs, runs on; waits, approvals and the run's
deadline go on too. Pausing a paused run is fine.` + runHelp
	return c
}

func (a *app) runSuspendCommand() *cobra.Command {
	c := a.pauseWith("suspend RUN", "Pause a run and stop its steps: it frees its agents", true)
	c.Long = `Pause a run and ask its steps to end (SIGTERM, then SIGKILL). They start again
when the run is resumed, and that costs none of their retries.` + runHelp
	return c
}

func (a *app) pauseWith(use, short string, suspend bool) *cobra.Command {
	c := a.command(use, short, oneArg("RUN"), func(ctx context.Context, args []string) error {
		return a.changeRun(ctx, args[0], func(api *client.Clients, id string) (*runv1.Run, output.View, error) {
			res, err := api.Run.PauseRun(ctx, &runv1.PauseRunRequest{Id: id, Suspend: suspend})
			return res.GetRun(), output.View{Answer: res}, err
		})
	})
	c.ValidArgsFunction = a.completeRuns
	return c
}
