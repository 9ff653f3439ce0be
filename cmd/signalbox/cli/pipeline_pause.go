package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
)

func (a *app) pipelinePauseCommand() *cobra.Command {
	c := a.command("pause PIPELINE", "Keep new runs from beginning; what runs goes on", oneArg("PIPELINE"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Pipeline.PausePipeline(ctx, &pipelinev1.PausePipelineRequest{Pipeline: args[0]})
		if err != nil {
			return err
		}
		return a.done(output.View{Answer: res, Names: []string{args[0]}}, "%s is paused: new runs are pending until `signalbox pipeline resume %[1]s`", args[0])
	})
	c.ValidArgsFunction = a.completePipelines
	return c
}

func (a *app) pipelineResumeCommand() *cobra.Command {
	c := a.command("resume PIPELINE", "Let runs begin again, those first that waited", oneArg("PIPELINE"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Pipeline.ResumePipeline(ctx, &pipelinev1.ResumePipelineRequest{Pipeline: args[0]})
		if err != nil {
			return err
		}
		return a.done(output.View{Answer: res, Names: []string{args[0]}}, "%s goes on", args[0])
	})
	c.ValidArgsFunction = a.completePipelines
	return c
}
