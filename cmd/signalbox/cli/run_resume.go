package cli

import (
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/follow"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/param"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// resume is the state of one `signalbox run resume`.
type resume struct {
	*app

	req    *runv1.RestartRunRequest
	same   bool
	params []string
	watch  bool
}

func (a *app) runResumeCommand() *cobra.Command {
	r := &resume{app: a, req: &runv1.RestartRunRequest{}}
	c := a.command("resume RUN", "Let a paused run go on, or take up one that has ended in a new run", oneArg("RUN"), r.run)
	c.Long = `Let a paused or suspended run go on.

Of a run that has ended a new run is started that takes over what need not run
again: tasks that succeeded, whose spec is unchanged and whose upstream tasks are
all taken over; of maps the items that succeeded, by what they are and not by
where they stand; of loops the whole passes. It is of the version that is deployed
now, and says of each task that runs why it does.` + runHelp
	c.Example = `  signalbox run resume @failed --dry-run
  signalbox run resume fraud-train#12 --from evaluate --same-version --watch
  signalbox run resume fraud-train#12 --set lr=1e-4 --unset epochs`
	f := c.Flags()
	f.StringVar(&r.req.FromTask, "from", "", "run this `TASK` again in any case, and all behind it")
	f.StringVar(&r.req.Version, "version", "", "the `DIGEST` of a version, or the beginning of one (default the deployed one)")
	f.BoolVar(&r.same, "same-version", false, "keep the run's own version")
	f.StringArrayVar(&r.params, "set", nil, "a param that differs, as `NAME=VALUE`, or NAME=@FILE; who reads it runs again")
	f.StringArrayVar(&r.req.Unset, "unset", nil, "a param that is its default again, by `NAME`; who reads it runs again")
	f.BoolVar(&r.req.Trust, "trust", false, "take over tasks although their spec has changed")
	f.BoolVar(&r.req.DryRun, "dry-run", false, "only say what would be taken over")
	f.StringVar(&r.req.IdempotencyKey, "key", "", "an idempotency `KEY`: the same key gives the same new run, for 30 days")
	f.BoolVar(&r.watch, "watch", false, "watch the run until it ends")
	c.ValidArgsFunction = a.completeRuns
	return c
}

func (r *resume) run(ctx context.Context, args []string) error {
	if r.same && r.req.GetVersion() != "" {
		return exit.Usagef("--version and --same-version exclude each other")
	}
	api, err := r.api()
	if err != nil {
		return err
	}
	res, err := api.Run.GetRun(client.Preparing(ctx), &runv1.GetRunRequest{Id: args[0]})
	if err != nil {
		return err
	}
	run := res.GetRun()
	if !follow.Terminal(run.GetState()) && !r.differs() {
		return r.goOn(ctx, run)
	}
	if run.GetState() == "paused" {
		return exit.Usagef("%s is paused: it goes on as it is; --from, --version, --same-version, --set, --unset, --trust and --dry-run are for runs that have ended", runName(run))
	}
	r.req.RunId = run.GetId()
	if err := r.prepare(ctx, api, run); err != nil {
		return err
	}
	made, err := api.Run.RestartRun(ctx, r.req)
	if err != nil {
		return err
	}
	if err := r.show(made); err != nil || !r.watch || made.GetRun() == nil {
		return err
	}
	return r.watchRun(ctx, made.GetRun().GetId(), stopOnEnd)
}

// differs reports whether a flag asks for a new run.
func (r *resume) differs() bool {
	return r.req.GetFromTask() != "" || r.req.GetVersion() != "" || r.same || len(r.params)+len(r.req.GetUnset()) > 0 || r.req.GetTrust() || r.req.GetDryRun()
}

func (r *resume) goOn(ctx context.Context, run *runv1.Run) error {
	err := r.changeRun(ctx, run.GetId(), func(api *client.Clients, id string) (*runv1.Run, output.View, error) {
		res, err := api.Run.ResumeRun(ctx, &runv1.ResumeRunRequest{Id: id})
		return res.GetRun(), output.View{Answer: res}, err
	})
	if err != nil || !r.watch {
		return err
	}
	return r.watchRun(ctx, run.GetId(), stopOnEnd)
}

// prepare settles the version and seals the params.
func (r *resume) prepare(ctx context.Context, api *client.Clients, run *runv1.Run) error {
	if r.same {
		r.req.Version = run.GetVersion()
	}
	given, err := r.assignments(r.params)
	if err != nil {
		return err
	}
	if len(given) == 0 && (r.req.GetVersion() == "" || len(r.req.GetVersion()) == 64) {
		return nil
	}
	version, err := api.Pipeline.GetVersion(client.Preparing(ctx), &pipelinev1.GetVersionRequest{
		Pipeline: run.GetPipeline(), Digest: r.req.GetVersion(),
	})
	if err != nil {
		return err
	}
	compiled, err := decodePlan(version)
	if err != nil {
		return err
	}
	r.req.Version = version.GetVersion().GetDigest()
	// The others are as the run has them.
	declared := slices.DeleteFunc(compiled.Params, func(p plan.Param) bool {
		return !slices.ContainsFunc(given, func(g param.Assignment) bool { return g.Name == p.Name })
	})
	r.req.Params, err = param.Values(declared, given, r.sealer(ctx, api))
	return err
}

func (r *resume) show(res *runv1.RestartRunResponse) error {
	g := &output.Grid{Columns: []output.Column{{Head: "TASK"}, {Head: "WILL"}, {Head: "WHY"}}}
	for _, k := range res.GetTasks() {
		will := output.Text("run")
		if k.GetReused() {
			will = output.State("reused")
		}
		why := k.GetReason()
		if n := int(k.GetItems()); n > 0 {
			why = joinText(strconv.Itoa(n)+" of its items may be taken over", why)
		}
		g.Add(output.Text(k.GetTask()), will, output.Text(why))
	}
	run := res.GetRun()
	if run == nil {
		return r.print(output.View{Answer: res, Blocks: []output.Block{g, output.Prose("Nothing was started: this is a dry run.")}})
	}
	text := runName(run) + " started: " + run.GetId()
	if !res.GetCreated() {
		text = runName(run) + " was started before with this key: " + run.GetId()
	}
	return r.print(output.View{Answer: res, Names: []string{run.GetId()}, Blocks: []output.Block{g, output.Prose(text)}})
}

func joinText(a, b string) string {
	if b == "" {
		return a
	}
	return a + "; " + b
}
