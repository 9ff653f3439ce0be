package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func (a *app) limitCommand() *cobra.Command {
	return group("limit", "Limits: how much of something tasks use at once, or in a time",
		a.limitListCommand(), a.limitSetCommand(), a.limitDeleteCommand())
}

func (a *app) limitListCommand() *cobra.Command {
	return a.command("list", "List the limits of the workspace", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Pool.ListLimits(ctx, &poolv1.ListLimitsRequest{})
		if err != nil {
			return err
		}
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetLimits()),
			Names:  output.NamesOf(res.GetLimits(), (*poolv1.Limit).GetName),
			Blocks: []output.Block{limitGrid(res.GetLimits())},
		})
	})
}

func limitGrid(limits []*poolv1.Limit) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{
			{Head: "LIMIT"}, {Head: "HELD", Right: true}, {Head: "MAX", Right: true}, {Head: "RATE"}, {Head: "ATTEMPTS", Right: true},
		},
		Empty: "No limits. Declare one with `signalbox limit set NAME --max 2`.",
	}
	for _, l := range limits {
		most := output.Cell{Text: "any", Tone: output.Faint}
		if l.Max != nil {
			most = output.Number(l.GetMax())
		}
		g.Add(output.Text(l.GetName()), output.Number(l.GetHeld()), most, output.Text(rateText(l)), output.Number(l.GetHolders()))
	}
	return g
}

func rateText(l *poolv1.Limit) string {
	if l.GetRate() == 0 {
		return ""
	}
	per := plan.Millis(l.GetRatePerMs()).String()
	for unit, ms := range rateUnits {
		if ms == l.GetRatePerMs() && len(unit) > 1 {
			per = unit
		}
	}
	return fmt.Sprintf("%d/%s", l.GetRate(), per)
}

// rateUnits are what a rate may be counted by, in milliseconds.
var rateUnits = map[string]int64{
	"s": 1000, "sec": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "hour": 3_600_000, "d": 86_400_000, "day": 86_400_000,
}

// parseRate reads `60/min`, or `5/30s`.
func parseRate(text string) (units, perMS int64, err error) {
	number, unit, found := strings.Cut(text, "/")
	units, err = strconv.ParseInt(number, 10, 64)
	if !found || err != nil || units <= 0 {
		return 0, 0, exit.Usagef("%q is no rate; write it as 60/min or 5/30s", text)
	}
	if ms, ok := rateUnits[unit]; ok {
		return units, ms, nil
	}
	d, err := plan.ParseDuration(unit)
	if err != nil || d <= 0 {
		return 0, 0, exit.Usagef("%q is no rate; write it as 60/min or 5/30s", text)
	}
	return units, int64(d), nil
}

func (a *app) limitSetCommand() *cobra.Command {
	var most int64
	var rate string
	var c *cobra.Command
	c = a.command("set NAME", "Declare a limit, or change it", oneArg("NAME"), func(ctx context.Context, args []string) error {
		req := &poolv1.SetLimitRequest{Name: args[0]}
		if c.Flags().Changed("max") {
			req.Max = &most
		}
		if rate != "" {
			var err error
			if req.Rate, req.RatePerMs, err = parseRate(rate); err != nil {
				return err
			}
		}
		if req.Max == nil && req.Rate == 0 {
			return exit.Usagef("give --max or --rate")
		}
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Pool.SetLimit(ctx, req)
		if err != nil {
			return err
		}
		return a.print(output.View{
			Answer: res, Names: []string{res.GetLimit().GetName()}, Blocks: []output.Block{limitGrid([]*poolv1.Limit{res.GetLimit()})},
		})
	})
	c.Long = "Declare a limit of the workspace, or change it: how many units tasks may hold at\nonce, how many they may take in a time, or both. Tasks name it with `limits:`."
	c.Example = "  signalbox limit set warehouse --max 2\n  signalbox limit set openai --rate 60/min"
	c.Flags().Int64Var(&most, "max", 0, "how many `UNITS` may be held at once; 0 lets nothing start")
	c.Flags().StringVar(&rate, "rate", "", "how many units may be taken in a time, as in `60/min`")
	return c
}

func (a *app) limitDeleteCommand() *cobra.Command {
	return a.command("delete NAME", "Remove a limit that nothing holds", oneArg("NAME"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Pool.DeleteLimit(ctx, &poolv1.DeleteLimitRequest{Name: args[0]})
		if err != nil {
			return err
		}
		return a.done(output.View{Answer: res}, "Limit %s is gone. Tasks that name it wait until there is one again.", args[0])
	})
}

// duration is milliseconds of a flag.
func durationFlag(name, text string) (time.Duration, error) {
	ms, err := plan.ParseDuration(text)
	if err != nil {
		return 0, exit.Usagef("--%s: %s", name, err)
	}
	return time.Duration(ms) * time.Millisecond, nil
}
