package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
)

// defaultFiles are looked for where no file is named, in this order.
var defaultFiles = []string{"signalbox.yaml", "pipeline.yaml"}

// maxSource bounds what is read of a file: far above any pipeline, far below
// what would hurt. The service has the real limit.
const maxSource = 4 << 20

// source is a pipeline file as it was read.
type source struct {
	name string // for error texts: as the person named it
	text []byte
}

func (a *app) readSource(args []string) (source, error) {
	name := argument(args, 0, "")
	if name == "-" {
		text, err := io.ReadAll(io.LimitReader(a.lines, maxSource))
		if err != nil {
			return source{}, fmt.Errorf("read standard input: %w", err)
		}
		return source{name: "<stdin>", text: text}, nil
	}
	candidates := []string{name}
	if name == "" {
		candidates = defaultFiles
	}
	for _, c := range candidates {
		path := c
		if !filepath.IsAbs(path) {
			path = filepath.Join(a.dir(), path)
		}
		text, err := os.ReadFile(path)
		if err == nil {
			return source{name: c, text: text}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return source{}, exit.Wrongf("%s", err.Error()).Because(err) // it names the file
		}
	}
	if name == "" {
		return source{}, exit.Usagef("there is neither signalbox.yaml nor pipeline.yaml here").Advise("name the file")
	}
	return source{}, exit.Wrongf("there is no file %s", name)
}

func appliedAs(res *pipelinev1.ApplyPipelineResponse) string {
	digest := short(res.GetVersion().GetDigest())
	switch {
	case res.GetCreated() && res.GetVersion().GetDeployed():
		return "new version " + digest + ", deployed"
	case res.GetCreated():
		return "new version " + digest + ", not deployed"
	case res.GetVersion().GetDeployed():
		return "version " + digest + " is deployed; the file has not changed"
	}
	return "version " + digest + " was there already, not deployed"
}

func (a *app) validateCommand() *cobra.Command {
	var offline bool
	c := a.command("validate [FILE]", "Check a pipeline without storing anything", upTo(0, "FILE"), func(ctx context.Context, args []string) error {
		src, err := a.readSource(args)
		if err != nil {
			return err
		}
		res, err := a.validate(ctx, src, offline)
		if err != nil {
			return a.inFile(src, err)
		}
		a.warn(res.GetWarnings())
		if len(res.GetViolations()) == 0 {
			return a.done(output.View{Answer: res, Names: []string{res.GetName()}},
				"%s: %s is valid, version %s", src.name, res.GetName(), short(res.GetDigest()))
		}
		if a.flags.structured() {
			if err := a.print(output.View{Answer: res}); err != nil {
				return err
			}
			return &exit.QuietError{Code: exit.Wrong}
		}
		e := exit.Wrongf("%s is not valid", src.name)
		e.Violations = res.GetViolations()
		return a.inFile(src, e)
	})
	c.Flags().BoolVar(&offline, "offline", false, "check here, without a server or an account; a workspace's pools are not checked")
	c.ValidArgsFunction = completeFiles
	return c
}

func (a *app) validate(ctx context.Context, src source, offline bool) (*pipelinev1.ValidatePipelineResponse, error) {
	if offline {
		return validateHere(src)
	}
	api, err := a.api()
	if err != nil {
		return nil, err
	}
	return api.Pipeline.ValidatePipeline(ctx, &pipelinev1.ValidatePipelineRequest{Source: src.text, Filename: src.name})
}

// inFile tells the violations of a file in the way that editors understand, and
// leaves the exit code.
func (a *app) inFile(src source, err error) error {
	e := exit.From(err)
	if len(e.Violations) == 0 || a.flags.structured() {
		return err
	}
	for _, v := range e.Violations {
		exit.WriteViolation(a.err, src.name, v)
	}
	things := fmt.Sprintf("%d errors", len(e.Violations))
	if len(e.Violations) == 1 {
		things = "1 error"
	}
	a.note("%s: %s", src.name, things)
	return &exit.QuietError{Code: e.Code}
}

func (a *app) warn(warnings []string) {
	for _, w := range warnings {
		a.note("%s %s", a.painter().Paint(output.Warn, "warning:"), w)
	}
}

// short is the part of a digest that people read; the service takes it too.
func short(digest string) string {
	if len(digest) > 12 {
		return digest[:12]
	}
	return digest
}
