package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	schedulev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1"
)

func (a *app) scheduleCommand() *cobra.Command {
	return group("schedule", "Schedules: what starts runs by time",
		a.scheduleListCommand(), a.scheduleGetCommand(), a.scheduleCreateCommand(), a.schedulePauseCommand(), a.scheduleResumeCommand(),
		a.scheduleDeleteCommand(), a.schedulePreviewCommand())
}

func (a *app) scheduleListCommand() *cobra.Command {
	req := &schedulev1.ListSchedulesRequest{}
	c := a.command("list", "List the schedules", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Schedule.ListSchedules(ctx, req)
		if err != nil {
			return err
		}
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetSchedules()),
			Names:  output.NamesOf(res.GetSchedules(), (*schedulev1.Schedule).GetName),
			Blocks: []output.Block{scheduleGrid(res.GetSchedules())},
		})
	})
	c.Flags().StringVar(&req.Pipeline, "pipeline", "", "only those of this `PIPELINE`")
	return c
}

func scheduleGrid(list []*schedulev1.Schedule) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{
			{Head: "SCHEDULE"},
			{Head: "PIPELINE"},
			{Head: "WHEN"},
			{Head: "ZONE"},
			{Head: "STATE"},
			{Head: "NEXT"},
			{Head: "LAST"},
			{Head: "NOTE"},
			{Head: "ID", Wide: true},
		},
		Empty: "No schedules. Write `triggers:` into a pipeline's file, or use `signalbox schedule create`.",
	}
	for _, s := range list {
		g.Add(output.Text(s.GetName()), output.Text(s.GetPipeline()), output.Text(when(s.GetSpec())), output.Text(zone(s.GetSpec())), scheduleState(s),
			output.Text(nextOf(s)), lastFire(s), output.Text(pauseText(s)), output.Text(s.GetId()))
	}
	return g
}

// when says in a few words when a schedule fires.
func when(s *schedulev1.Spec) string {
	switch {
	case s.GetCron() != "":
		return s.GetCron()
	case s.GetEveryMs() > 0:
		return "every " + output.Millis(s.GetEveryMs())
	}
	return strings.Join(s.GetDates(), ", ")
}

func zone(s *schedulev1.Spec) string {
	if s.GetTimezone() == "" {
		return "UTC"
	}
	return s.GetTimezone()
}

func scheduleState(s *schedulev1.Schedule) output.Cell {
	switch {
	case s.GetPaused():
		return output.State("paused")
	case len(s.GetNext()) == 0:
		return output.Cell{Text: "ended", Tone: output.Faint}
	}
	return output.Cell{Text: "active"}
}

func nextOf(s *schedulev1.Schedule) string {
	if s.GetPaused() || len(s.GetNext()) == 0 {
		return ""
	}
	return s.GetNext()[0].GetLocal()
}

func lastFire(s *schedulev1.Schedule) output.Cell {
	f := s.GetLast()
	switch {
	case f == nil:
		return output.Text("")
	case f.GetRunState() != "":
		return output.State(f.GetRunState())
	}
	return output.Text(f.GetState())
}

func pauseText(s *schedulev1.Schedule) string {
	if !s.GetPaused() || s.GetPauseNote() == "" {
		return s.GetPausedBy()
	}
	return s.GetPauseNote() + " (" + s.GetPausedBy() + ")"
}

func (a *app) scheduleGetCommand() *cobra.Command {
	c := a.command("get SCHEDULE", "Show a schedule, its next times and its newest fires", oneArg("SCHEDULE"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Schedule.GetSchedule(ctx, &schedulev1.GetScheduleRequest{Name: args[0]})
		if err != nil {
			return err
		}
		v := a.scheduleView(res, res.GetSchedule())
		v.Blocks = append(v.Blocks, momentGrid(res.GetSchedule().GetNext()), fireGrid(res.GetFires()))
		return a.print(v)
	})
	c.ValidArgsFunction = a.completeSchedules
	return c
}

func (a *app) scheduleView(answer proto.Message, s *schedulev1.Schedule) output.View {
	spec := s.GetSpec()
	sheet := &output.Sheet{}
	sheet.Add("schedule", output.Text(s.GetName()))
	sheet.Add("id", output.Text(s.GetId()))
	sheet.Add("pipeline", output.Text(s.GetPipeline()))
	sheet.Add("from", output.Text(map[string]string{"file": "the pipeline's file", "api": s.GetCreatedBy()}[s.GetSource()]))
	sheet.Add("when", output.Text(when(spec)))
	sheet.Add("zone", output.Text(zone(spec)))
	sheet.Add("except", output.Text(strings.Join(spec.GetExclude(), ", ")))
	sheet.Add("catch-up", output.Text(or(spec.GetCatchup(), "latest")))
	sheet.Add("overlap", output.Text(or(spec.GetOverlap(), "allow")))
	sheet.Add("state", scheduleState(s))
	if s.GetPaused() {
		sheet.Add("paused", a.moment(s.GetPausedAt()))
		sheet.Add("note", output.Text(pauseText(s)))
	}
	sheet.Add("fired", output.Number(s.GetFired()))
	return output.View{Answer: answer, Names: []string{s.GetName()}, Blocks: []output.Block{sheet}}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func momentGrid(moments []*schedulev1.Moment) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{{Head: "NEXT"}, {Head: "UTC"}, {Head: "CLOCK"}},
		Empty:   "It does not fire any more.",
	}
	for _, m := range moments {
		clock := output.Text("")
		if m.GetClockChanged() {
			clock = output.Cell{Text: "changed", Tone: output.Warn}
		}
		g.Add(output.Text(m.GetLocal()), output.Text(m.GetAt().AsTime().Format("2006-01-02T15:04:05Z")), clock)
	}
	return g
}

func fireGrid(fires []*schedulev1.Fire) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{{Head: "FIRED"}, {Head: "STATE"}, {Head: "RUN"}, {Head: "WHY"}},
		Empty:   "It has not fired yet.",
	}
	for _, f := range fires {
		state := output.Text(f.GetState())
		if f.GetRunState() != "" {
			state = output.State(f.GetRunState())
		}
		g.Add(output.Text(f.GetNominal().AsTime().Format("2006-01-02T15:04:05Z")), state, output.Text(f.GetRunId()), output.Text(f.GetReason()))
	}
	return g
}

func (a *app) schedulePauseCommand() *cobra.Command {
	req := &schedulev1.PauseScheduleRequest{}
	c := a.command("pause SCHEDULE", "Start no more runs; what runs goes on", oneArg("SCHEDULE"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		req.Name = args[0]
		res, err := api.Schedule.PauseSchedule(ctx, req)
		if err != nil {
			return err
		}
		return a.print(a.scheduleView(res, res.GetSchedule()))
	})
	c.Flags().StringVar(&req.Note, "note", "", "`WHY`: shown wherever the schedule is")
	c.ValidArgsFunction = a.completeSchedules
	return c
}

func (a *app) scheduleResumeCommand() *cobra.Command {
	c := a.command("resume SCHEDULE", "Fire again, from now on", oneArg("SCHEDULE"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Schedule.ResumeSchedule(ctx, &schedulev1.ResumeScheduleRequest{Name: args[0]})
		if err != nil {
			return err
		}
		return a.print(a.scheduleView(res, res.GetSchedule()))
	})
	c.ValidArgsFunction = a.completeSchedules
	return c
}

func (a *app) scheduleDeleteCommand() *cobra.Command {
	c := a.command("delete SCHEDULE", "End a schedule; its runs go on", oneArg("SCHEDULE"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Schedule.DeleteSchedule(ctx, &schedulev1.DeleteScheduleRequest{Name: args[0]})
		if err != nil {
			return err
		}
		return a.done(output.View{Answer: res, Names: args}, "Schedule %s is gone.", args[0])
	})
	c.ValidArgsFunction = a.completeSchedules
	return c
}
