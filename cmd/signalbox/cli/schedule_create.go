package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/param"
	"github.com/signalboxhq/signalbox/controlplane/schedule"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	schedulev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// timing is the flags that say when a schedule fires.
type timing struct {
	spec          plan.Schedule
	every, jitter string
}

func (t *timing) register(f *pflag.FlagSet) {
	f.StringVar(&t.spec.Cron, "cron", "", "a cron `EXPRESSION` of five fields, or of six with the seconds first")
	f.StringVar(&t.every, "every", "", "an `INTERVAL`, as in 90s or 1h30m")
	f.StringVar(&t.spec.Anchor, "anchor", "", "the `TIME` that the interval is counted from")
	f.StringArrayVar(&t.spec.Dates, "date", nil, "a `DATE` or time; may be repeated")
	f.StringVar(&t.spec.Timezone, "tz", "", "the time `ZONE`, as in Europe/Berlin (default UTC)")
	f.StringArrayVar(&t.spec.Exclude, "exclude", nil, "a date, time or cron `EXPRESSION` at which it does not fire; may be repeated")
	f.StringVar(&t.spec.Start, "start", "", "the `TIME` before which it does not fire")
	f.StringVar(&t.spec.End, "end", "", "the `TIME` after which it does not fire")
}

// compile judges the flags here, before any call.
func (t *timing) compile() (*schedule.Schedule, error) {
	for _, d := range []struct {
		flag, text string
		into       *plan.Millis
	}{{"every", t.every, &t.spec.Every}, {"jitter", t.jitter, &t.spec.Jitter}} {
		if d.text == "" {
			continue
		}
		ms, err := plan.ParseDuration(d.text)
		if err != nil {
			return nil, exit.Usagef("--%s: %s", d.flag, err.Error())
		}
		*d.into = ms
	}
	s, faults := schedule.Compile(t.spec)
	if len(faults) == 0 {
		return s, nil
	}
	return nil, exit.Usagef("%s: %s", flagOf(faults[0].Field), faults[0].Text)
}

// flagOf is the flag of a field.
func flagOf(field string) string {
	flags := map[string]string{"schedule": "--cron", "timezone": "--tz", "dates": "--date", "max_runs": "--max-runs"}
	if flag, ok := flags[field]; ok {
		return flag
	}
	return "--" + field
}

func (a *app) schedulePreviewCommand() *cobra.Command {
	t := &timing{}
	var from string
	var n int
	c := a.command("preview", "Show when a schedule would fire; needs no server", noArgs, func(context.Context, []string) error {
		s, err := t.compile()
		if err != nil {
			return err
		}
		const most = 1000
		if n < 1 || n > most {
			return exit.Usagef("-n: want a number from 1 to %d", most)
		}
		at := a.now()
		if from != "" {
			if at, err = schedule.ParseTime(from, s.Location()); err != nil {
				return exit.Usagef("--from: %s", err.Error())
			}
		}
		answer := preview(s, at, n)
		return a.print(output.View{Answer: answer, Items: output.Items(answer.GetFires()), Blocks: []output.Block{momentGrid(answer.GetFires())}})
	})
	c.Long = `Show when a schedule would fire, in its own time zone and in UTC. It asks no
server: the rules are the same.`
	c.Example = `  signalbox schedule preview --cron "30 2 * * *" --tz Europe/Berlin --from 2026-03-28 --n 3
  signalbox schedule preview --cron "0 9 * * MON-FRI" --exclude 2026-12-24 --json
  signalbox schedule preview --every 90m --anchor 2026-01-01T00:15`
	t.register(c.Flags())
	c.Flags().StringVar(&from, "from", "", "the first `TIME` that counts (default now)")
	c.Flags().IntVarP(&n, "n", "n", 5, "how `MANY` times to show")
	return c
}

// preview is the fires from an instant on, that one included.
func preview(s *schedule.Schedule, from time.Time, n int) *schedulev1.Preview {
	out := &schedulev1.Preview{}
	_, offset := from.In(s.Location()).Zone()
	for _, t := range s.NextN(from.Add(-time.Nanosecond), n) {
		_, o := t.Zone()
		out.Fires = append(out.Fires, &schedulev1.Moment{At: timestamppb.New(t), Local: t.Format(time.RFC3339), ClockChanged: o != offset})
		offset = o
	}
	return out
}

func (a *app) scheduleCreateCommand() *cobra.Command {
	t := &timing{}
	var params []string
	req := &schedulev1.CreateScheduleRequest{}
	c := a.command("create NAME", "Make a schedule of a pipeline", oneArg("NAME"), func(ctx context.Context, args []string) error {
		if req.Name = args[0]; req.GetPipeline() == "" {
			return exit.Usagef("--pipeline is missing: of which pipeline?")
		}
		if _, err := t.compile(); err != nil {
			return err
		}
		api, err := a.api()
		if err != nil {
			return err
		}
		req.Spec = specOf(t.spec)
		if err := a.scheduledParams(ctx, api, req, params); err != nil {
			return err
		}
		res, err := api.Schedule.CreateSchedule(ctx, req)
		if err != nil {
			return err
		}
		v := a.scheduleView(res, res.GetSchedule())
		v.Blocks = append(v.Blocks, momentGrid(res.GetSchedule().GetNext()))
		return a.print(v)
	})
	c.Long = `Make a schedule of a pipeline. It starts runs of the version that is deployed at
that time. A schedule may also stand in the pipeline's file, under triggers:.

Params that are not declared open are sealed here to the workspace's key.`
	c.Example = `  signalbox schedule create nightly --pipeline train --cron "0 2 * * 1-5" --tz Europe/Berlin
  signalbox schedule create poll --pipeline ingest --every 90s --overlap drop_new -p source=eu`
	f := c.Flags()
	t.register(f)
	f.StringVar(&req.Pipeline, "pipeline", "", "the `PIPELINE` to run")
	f.StringArrayVarP(&params, "param", "p", nil, "a param of each run, as `NAME=VALUE`, or NAME=@FILE")
	f.StringVar(&t.jitter, "jitter", "", "spread starts over so `LONG`; the nominal time stays")
	f.StringVar(&t.spec.Catchup, "catchup", "", "what is made up for after an outage: `none`, latest, all or window(2d) (default latest)")
	f.StringVar(&t.spec.Overlap, "overlap", "", "while the run before still runs: `allow`, queue, queue_latest, queue_first, drop_new or cancel_running (default allow)")
	f.Int64Var(&t.spec.MaxRuns, "max-runs", 0, "end after so `MANY` runs")
	f.BoolVar(&t.spec.PauseOnFailure, "pause-on-failure", false, "pause when a run fails")
	return c
}

func specOf(s plan.Schedule) *schedulev1.Spec {
	return &schedulev1.Spec{
		Cron: s.Cron, EveryMs: int64(s.Every), Dates: s.Dates, Anchor: s.Anchor, Timezone: s.Timezone, Exclude: s.Exclude,
		Start: s.Start, End: s.End, JitterMs: int64(s.Jitter), Catchup: s.Catchup, Overlap: s.Overlap,
		MaxRuns: s.MaxRuns, PauseOnFailure: s.PauseOnFailure,
	}
}

// scheduledParams types and seals params as a start does, by the version that is
// deployed now.
func (a *app) scheduledParams(ctx context.Context, api *client.Clients, req *schedulev1.CreateScheduleRequest, specs []string) error {
	given, err := a.assignments(specs)
	if err != nil || len(given) == 0 {
		return err
	}
	version, err := api.Pipeline.GetVersion(client.Preparing(ctx), &pipelinev1.GetVersionRequest{Pipeline: req.GetPipeline()})
	if err != nil {
		return err
	}
	compiled, err := decodePlan(version)
	if err != nil {
		return err
	}
	if req.Spec.Params, err = param.Values(compiled.Params, given, a.sealer(ctx, api)); err != nil {
		return fmt.Errorf("params of the schedule: %w", err)
	}
	return nil
}
