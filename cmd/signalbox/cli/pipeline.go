package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
)

func (a *app) pipelineCommand() *cobra.Command {
	return group("pipeline", "Pipelines and their versions",
		a.pipelineListCommand(), a.pipelineGetCommand(), a.pipelineVersionsCommand(),
		a.pipelineShowCommand(), a.pipelineDeployCommand(), a.pipelinePauseCommand(), a.pipelineResumeCommand())
}

func (a *app) pipelineListCommand() *cobra.Command {
	return a.command("list", "List the pipelines", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Pipeline.ListPipelines(ctx, &pipelinev1.ListPipelinesRequest{})
		if err != nil {
			return err
		}
		grid := &output.Grid{
			Columns: []output.Column{{Head: "PIPELINE"}, {Head: "DEPLOYED"}, {Head: "VERSIONS", Right: true}, {Head: "STATE"}, {Head: "UPDATED"}, {Head: "ID", Wide: true}},
			Empty:   "No pipelines. Upload one with `signalbox apply FILE`.",
		}
		for _, p := range res.GetPipelines() {
			grid.Add(output.Text(p.GetName()), output.Text(short(p.GetDeployedVersion())), output.Number(p.GetVersions()),
				pipelineState(p), a.ago(p.GetUpdatedAt()), output.Text(p.GetId()))
		}
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetPipelines()),
			Names:  output.NamesOf(res.GetPipelines(), (*pipelinev1.Pipeline).GetName),
			Blocks: []output.Block{grid},
		})
	})
}

func pipelineState(p *pipelinev1.Pipeline) output.Cell {
	switch {
	case p.GetPaused():
		return output.State("paused")
	case p.GetDeployedVersion() == "":
		return output.Cell{Text: "not deployed", Tone: output.Faint}
	}
	return output.Cell{Text: "active", Tone: output.Good}
}

func (a *app) pipelineGetCommand() *cobra.Command {
	c := a.command("get PIPELINE", "Show a pipeline", oneArg("PIPELINE"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Pipeline.GetPipeline(ctx, &pipelinev1.GetPipelineRequest{Name: args[0]})
		if err != nil {
			return err
		}
		p := res.GetPipeline()
		sheet := &output.Sheet{}
		sheet.Add("pipeline", output.Text(p.GetName()))
		sheet.Add("id", output.Text(p.GetId()))
		sheet.Add("state", pipelineState(p))
		sheet.Add("deployed", output.Text(p.GetDeployedVersion()))
		sheet.Add("versions", output.Number(p.GetVersions()))
		sheet.Add("created", a.moment(p.GetCreatedAt()))
		sheet.Add("updated", a.moment(p.GetUpdatedAt()))
		return a.print(output.View{Answer: res, Names: []string{p.GetName()}, Blocks: []output.Block{sheet}})
	})
	c.ValidArgsFunction = a.completePipelines
	return c
}

func (a *app) pipelineVersionsCommand() *cobra.Command {
	c := a.command("versions PIPELINE", "List a pipeline's versions, newest first", oneArg("PIPELINE"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Pipeline.ListVersions(ctx, &pipelinev1.ListVersionsRequest{Pipeline: args[0]})
		if err != nil {
			return err
		}
		grid := &output.Grid{
			Columns: []output.Column{{Head: "VERSION"}, {Head: "STATE"}, {Head: "FILE"}, {Head: "BY"}, {Head: "CREATED"}, {Head: "DIGEST", Wide: true}},
			Empty:   "No versions.",
		}
		for _, v := range res.GetVersions() {
			state := output.Text("")
			if v.GetDeployed() {
				state = output.Cell{Text: "deployed", Tone: output.Good}
			}
			grid.Add(output.Text(short(v.GetDigest())), state, output.Text(v.GetFilename()),
				output.Text(v.GetCreatedBy()), a.ago(v.GetCreatedAt()), output.Text(v.GetDigest()))
		}
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetVersions()),
			Names:  output.NamesOf(res.GetVersions(), (*pipelinev1.Version).GetDigest),
			Blocks: []output.Block{grid},
		})
	})
	c.ValidArgsFunction = a.completePipelines
	return c
}

func (a *app) pipelineDeployCommand() *cobra.Command {
	c := a.command("deploy PIPELINE VERSION", "Make a version the one that new runs follow; rolling back is this", exactly("PIPELINE", "VERSION"),
		func(ctx context.Context, args []string) error {
			api, err := a.api()
			if err != nil {
				return err
			}
			res, err := api.Pipeline.DeployVersion(ctx, &pipelinev1.DeployVersionRequest{Pipeline: args[0], Digest: args[1]})
			if err != nil {
				return err
			}
			return a.done(output.View{Answer: res, Names: []string{res.GetPipeline().GetName()}},
				"%s: version %s is deployed", res.GetPipeline().GetName(), short(res.GetPipeline().GetDeployedVersion()))
		})
	c.ValidArgsFunction = a.completePipelines
	return c
}

func (a *app) pipelineShowCommand() *cobra.Command {
	var asPlan, params bool
	c := a.command("show PIPELINE [VERSION]", "Show a version's source, its plan (--plan) or its params (--params)", upTo(1, "PIPELINE", "VERSION"),
		func(ctx context.Context, args []string) error {
			api, err := a.api()
			if err != nil {
				return err
			}
			res, err := api.Pipeline.GetVersion(ctx, &pipelinev1.GetVersionRequest{Pipeline: args[0], Digest: argument(args, 1, "")})
			if err != nil {
				return err
			}
			v := output.View{Answer: res, Names: []string{res.GetVersion().GetDigest()}}
			switch {
			case params:
				grid, err := paramGrid(res)
				if err != nil {
					return err
				}
				v.Blocks = []output.Block{grid}
			case asPlan:
				v.Blocks = []output.Block{output.Prose(res.GetPlan())}
			default:
				v.Blocks = []output.Block{output.Prose(res.GetSource())}
			}
			return a.print(v)
		})
	c.Flags().BoolVar(&asPlan, "plan", false, "the compiled plan, whose sha256 is the version")
	c.Flags().BoolVar(&params, "params", false, "the params that a run takes")
	c.ValidArgsFunction = a.completePipelines
	return c
}

func paramGrid(res *pipelinev1.GetVersionResponse) (*output.Grid, error) {
	p, err := decodePlan(res)
	if err != nil {
		return nil, err
	}
	g := &output.Grid{
		Columns: []output.Column{{Head: "PARAM"}, {Head: "TYPE"}, {Head: "DEFAULT"}, {Head: "ALLOWED"}, {Head: "TRAVELS"}, {Head: "DESCRIPTION"}},
		Empty:   "The pipeline takes no params.",
	}
	for _, d := range p.Params {
		def := output.Text(string(d.Default))
		switch {
		case d.Required:
			def = output.Cell{Text: "required", Tone: output.Warn}
		case d.SealedDefault != "":
			def = output.Cell{Text: "sealed", Tone: output.Faint}
		}
		travels := "sealed"
		if d.Open {
			travels = "open"
		}
		g.Add(output.Text(d.Name), output.Text(string(d.Type)), def, output.Text(allowed(string(d.Min), string(d.Max), d.Enum)),
			output.Text(travels), output.Text(d.Description))
	}
	return g, nil
}

func allowed(least, most string, enum []string) string {
	switch {
	case len(enum) > 0:
		return strings.Join(enum, ", ")
	case least != "" && most != "":
		return fmt.Sprintf("%s to %s", least, most)
	case least != "":
		return "at least " + least
	case most != "":
		return "at most " + most
	}
	return ""
}
