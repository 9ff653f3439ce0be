package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/param"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// start is the state of one `signalbox run start`.
type start struct {
	*app

	req    *runv1.StartRunRequest
	params []string
	labels []string
	at     string
	watch  bool
}

func (a *app) runStartCommand() *cobra.Command {
	s := &start{app: a, req: &runv1.StartRunRequest{}}
	c := a.command("start PIPELINE", "Start a run", oneArg("PIPELINE"), s.run)
	c.Long = `Start a run of the deployed version, or of --version.

Params are read by the type that the pipeline declares. Those declared open
travel in the clear; all others are sealed here to the workspace's key, so that
only your agents can read them.`
	c.Example = `  signalbox run start fraud-train -p epochs=20 -p lr=1e-3 --watch
  signalbox run start fraud-train -p query=@query.sql --label team=risk
  signalbox run start nightly --key 2026-11-20    # started once, however often this is repeated`
	f := c.Flags()
	f.StringArrayVarP(&s.params, "param", "p", nil, "a param, as `NAME=VALUE`, or NAME=@FILE (@- is standard input); NAME=@@TEXT for a text that begins with @")
	f.StringArrayVar(&s.labels, "label", nil, "a label, as `KEY=VALUE`")
	f.StringVar(&s.req.IdempotencyKey, "key", "", "an idempotency `KEY`: starts with the same key give the same run, for 30 days")
	f.StringVar(&s.req.Version, "version", "", "the `DIGEST` of a version, or the beginning of one (default the deployed one)")
	f.Int32Var(&s.req.Priority, "priority", 0, "the `PRIORITY`: higher goes first")
	f.StringVar(&s.at, "at", "", "begin at this `TIME` (2026-11-20T02:00:00Z, or a while from now: 90m)")
	f.StringVar(&s.req.IfRunning, "if-running", "", "if the run of --key goes on: `use|fail|cancel`")
	f.StringVar(&s.req.IfDone, "if-done", "", "if the run of --key has ended, start another one: `allow|failed_only|reject`")
	f.BoolVar(&s.watch, "watch", false, "watch the run until it ends; the exit code says how it ended")
	c.ValidArgsFunction = a.completePipelines
	return c
}

func (s *start) run(ctx context.Context, args []string) error {
	api, err := s.api()
	if err != nil {
		return err
	}
	s.req.Pipeline = args[0]
	if s.req.Labels, err = labelMap(s.labels); err != nil {
		return err
	}
	if s.req.StartAt, err = s.startAt(); err != nil {
		return err
	}
	if err := s.prepare(ctx, api); err != nil {
		return err
	}
	res, err := api.Run.StartRun(ctx, s.req)
	if err != nil {
		return err
	}
	if s.watch {
		return s.watchRun(ctx, res.GetRun().GetId(), stopOnEnd)
	}
	r := res.GetRun()
	text := "started"
	switch {
	case !res.GetCreated():
		text = "was started before with this key"
	case r.GetState() == "dropped":
		text = "was dropped (" + r.GetReason() + ")"
	case r.GetWaiting() != nil:
		text = "waits: " + waitingText(r.GetWaiting())
	}
	return s.done(output.View{Answer: res, Names: []string{r.GetId()}}, "%s %s: %s", runName(r), text, r.GetId())
}

// prepare makes the values. Where nothing has to be typed and no version is
// abbreviated, nothing has to be asked: a start is one call then.
func (s *start) prepare(ctx context.Context, api *client.Clients) error {
	given, err := s.assignments()
	if err != nil {
		return err
	}
	abbreviated := s.req.GetVersion() != "" && len(s.req.GetVersion()) < 64
	if len(given) == 0 && !abbreviated {
		return nil
	}
	version, err := api.Pipeline.GetVersion(client.Preparing(ctx), &pipelinev1.GetVersionRequest{
		Pipeline: s.req.GetPipeline(), Digest: s.req.GetVersion(),
	})
	if err != nil {
		return err
	}
	compiled, err := decodePlan(version)
	if err != nil {
		return err
	}
	// The values were read by this version's types, so this version it must be.
	// Only a start that may be repeated keeps following the deployed one: after a
	// new deploy it would not be the same start otherwise.
	if s.req.GetIdempotencyKey() == "" || abbreviated {
		s.req.Version = version.GetVersion().GetDigest()
	}
	s.req.Params, err = param.Values(compiled.Params, given, s.sealer(ctx, api))
	return err
}

func (s *start) assignments() ([]param.Assignment, error) { return s.app.assignments(s.params) }

// assignments reads params as they are given on a command line.
func (a *app) assignments(specs []string) ([]param.Assignment, error) {
	given := make([]param.Assignment, 0, len(specs))
	for _, spec := range specs {
		g, err := param.Parse(spec, a.readFile)
		if err != nil {
			return nil, err
		}
		given = append(given, g)
	}
	return given, nil
}

// readFile reads a file that is named on the command line; - is standard input.
// What is far larger than any value is not read to its end.
func (a *app) readFile(path string) ([]byte, error) {
	in := io.Reader(a.lines)
	if path != "-" {
		if !filepath.IsAbs(path) {
			path = filepath.Join(a.dir(), path)
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	content, err := io.ReadAll(io.LimitReader(in, 4*plan.MaxValueBytes))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return content, nil
}

func labelMap(specs []string) (map[string]string, error) {
	labels := make(map[string]string, len(specs))
	for _, spec := range specs {
		k, v, ok := strings.Cut(spec, "=")
		if !ok || k == "" {
			return nil, exit.Usagef("--label: want KEY=VALUE, got %q", spec)
		}
		labels[k] = v
	}
	return labels, nil
}

// decodePlan reads the plan of a version and holds it against its digest.
func decodePlan(res *pipelinev1.GetVersionResponse) (*plan.Plan, error) {
	if got := plan.DigestOf(res.GetPlan()).String(); got != res.GetVersion().GetDigest() {
		return nil, exit.New(exit.Failed, "the plan of version %s is not what its digest says", short(res.GetVersion().GetDigest()))
	}
	p, err := plan.Decode(res.GetPlan())
	if err != nil {
		return nil, exit.New(exit.Failed, "%s", err.Error()).Because(err).
			Advise("this program may be older than the server")
	}
	return p, nil
}
