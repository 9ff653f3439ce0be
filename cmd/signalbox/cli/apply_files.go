package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
)

// apply is the state of one `signalbox apply`.
type apply struct {
	*app

	noDeploy bool
}

func (a *app) applyCommand() *cobra.Command {
	v := &apply{app: a}
	c := a.command("apply [FILE | FOLDER]...", "Upload pipelines and deploy them", cobra.ArbitraryArgs, v.run)
	c.Long = `Upload a pipeline file, which the server compiles, and make it the version that
new runs follow. The same file gives the same version, however often it is
applied. FILE is signalbox.yaml or pipeline.yaml by default; - reads standard
input. Of a FOLDER every .yaml and .yml file in it is taken, not those in folders
below. Of several files none is uploaded unless all compile; then each is reported,
and the exit code is that of the worst. Errors end with exit code 65 and name file,
line and column.`
	c.Example = `  signalbox apply pipeline.yaml
  signalbox apply --no-deploy pipelines/ other.yaml
  generate-pipeline | signalbox apply -`
	c.Flags().BoolVar(&v.noDeploy, "no-deploy", false, "upload only; new runs keep following the deployed version")
	c.ValidArgsFunction = completeFiles
	return c
}

func (v *apply) run(ctx context.Context, args []string) error {
	sources, err := v.readSources(args)
	if err != nil {
		return err
	}
	api, err := v.api()
	if err != nil {
		return err
	}
	if len(sources) == 1 {
		res, err := v.upload(ctx, api, sources[0])
		if err != nil {
			return v.inFile(sources[0], err)
		}
		v.warn(res.GetWarnings())
		name := res.GetPipeline().GetName()
		return v.done(output.View{Answer: res, Names: []string{name}}, "%s: %s", name, appliedAs(res))
	}
	if err := v.compileAll(ctx, api, sources); err != nil {
		return err
	}
	return v.applyAll(ctx, api, sources)
}

func (v *apply) upload(ctx context.Context, api *client.Clients, src source) (*pipelinev1.ApplyPipelineResponse, error) {
	return api.Pipeline.ApplyPipeline(ctx, &pipelinev1.ApplyPipelineRequest{Source: src.text, Filename: src.name, NoDeploy: v.noDeploy})
}

// compileAll has the server compile every file, and tells what is wrong with each.
func (v *apply) compileAll(ctx context.Context, api *client.Clients, sources []source) error {
	of := map[string]string{}
	var worst error
	for _, src := range sources {
		res, err := api.Pipeline.ValidatePipeline(client.Preparing(ctx), &pipelinev1.ValidatePipelineRequest{Source: src.text, Filename: src.name})
		if err == nil && len(res.GetViolations()) > 0 {
			e := exit.Wrongf("%s is not valid", src.name)
			e.Violations = res.GetViolations()
			err = e
		}
		if err == nil && of[res.GetName()] != "" {
			err = exit.Wrongf("%s and %s are both pipeline %q", of[res.GetName()], src.name, res.GetName())
		}
		if err != nil {
			worst = v.worse(worst, v.told(src, err))
			continue
		}
		of[res.GetName()] = src.name
	}
	if worst != nil {
		v.note("Nothing was uploaded.")
	}
	return worst
}

// applyAll uploads every file and reports each. What one is refused for stops
// none of the others.
func (v *apply) applyAll(ctx context.Context, api *client.Clients, sources []source) error {
	grid := &output.Grid{Columns: []output.Column{{Head: "FILE"}, {Head: "PIPELINE"}, {Head: "APPLIED"}}}
	answer := make([]*pipelinev1.ApplyPipelineResponse, 0, len(sources))
	var names []string
	var worst error
	for _, src := range sources {
		res, err := v.upload(ctx, api, src)
		if errors.Is(err, client.ErrWritten) {
			continue // --curl: each call is printed
		}
		if err != nil {
			worst = v.worse(worst, v.told(src, err))
			grid.Add(output.Text(src.name), output.Text(""), output.Cell{Text: "refused", Tone: output.Bad})
			continue
		}
		v.warn(res.GetWarnings())
		answer = append(answer, res)
		names = append(names, res.GetPipeline().GetName())
		grid.Add(output.Text(src.name), output.Text(res.GetPipeline().GetName()), output.Text(appliedAs(res)))
	}
	if v.flags.curl {
		return worst
	}
	if err := v.report(answer, output.View{Items: output.Items(answer), Names: names, Blocks: []output.Block{grid}}); err != nil {
		return err
	}
	return worst
}

// report shows what was applied. No answer of the service holds several, so they
// are one object here.
func (v *apply) report(applied []*pipelinev1.ApplyPipelineResponse, view output.View) error {
	p, err := v.printer()
	if err != nil {
		return err
	}
	if p.Format != output.JSON && p.Format != output.YAML {
		return p.Print(view)
	}
	list := make([]any, 0, len(applied))
	for _, m := range applied {
		list = append(list, output.Of(m))
	}
	return p.Value(output.Object{{Name: "applied", Value: list}})
}

// told tells what is wrong with one file of several, so that only its exit code
// is left.
func (v *apply) told(src source, err error) error {
	err = v.inFile(src, err)
	if _, quiet := errors.AsType[*exit.QuietError](err); quiet {
		return err
	}
	e := exit.From(err)
	v.note("%s: %s", src.name, e.Text)
	return &exit.QuietError{Code: e.Code}
}

// worse is the error with the higher exit code.
func (v *apply) worse(a, b error) error {
	if exit.CodeOf(a) >= exit.CodeOf(b) {
		return a
	}
	return b
}

// readSources reads the files that are named, and those of folders that are.
func (v *apply) readSources(args []string) ([]source, error) {
	var files []string
	for _, arg := range args {
		path := arg
		if !filepath.IsAbs(path) {
			path = filepath.Join(v.dir(), path)
		}
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			files = append(files, arg)
			continue
		}
		found, err := pipelinesIn(path)
		if err != nil {
			return nil, exit.Wrongf("%s", err.Error()).Because(err)
		}
		if len(found) == 0 {
			return nil, exit.Wrongf("there is no .yaml or .yml file in %s", arg)
		}
		for _, name := range found {
			files = append(files, filepath.Join(arg, name))
		}
	}
	if len(files) == 0 {
		src, err := v.readSource(nil)
		return []source{src}, err
	}
	sources := make([]source, 0, len(files))
	for i, file := range files {
		if slices.Contains(files[:i], file) {
			continue
		}
		src, err := v.readSource([]string{file})
		if err != nil {
			return nil, err
		}
		sources = append(sources, src)
	}
	return sources, nil
}

// pipelinesIn lists the files of a folder that may be pipelines, by name.
func pipelinesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		hidden := strings.HasPrefix(e.Name(), ".")
		if ext := filepath.Ext(e.Name()); !hidden && !e.IsDir() && (ext == ".yaml" || ext == ".yml") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
