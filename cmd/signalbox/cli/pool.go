package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func (a *app) poolCommand() *cobra.Command {
	return group("pool", "Pools: queues that agents serve",
		a.poolListCommand(), a.poolGetCommand(), a.poolCreateCommand(), a.poolSetCommand(),
		a.poolPauseCommand(), a.poolDrainCommand(), a.poolResumeCommand(), a.poolJoinTokenCommand(), a.poolRevokeJoinTokensCommand())
}

func (a *app) poolListCommand() *cobra.Command {
	return a.command("list", "List the pools", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Pool.ListPools(ctx, &poolv1.ListPoolsRequest{})
		if err != nil {
			return err
		}
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetPools()),
			Names:  output.NamesOf(res.GetPools(), (*poolv1.Pool).GetName),
			Blocks: []output.Block{poolGrid(res.GetPools())},
		})
	})
}

func poolGrid(pools []*poolv1.Pool) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{
			{Head: "POOL"},
			{Head: "STATE"},
			{Head: "AGENTS", Right: true},
			{Head: "RUNNING", Right: true},
			{Head: "WAITING", Right: true},
			{Head: "SLOTS", Right: true},
			{Head: "NOTE"},
			{Head: "ID", Wide: true},
		},
		Empty: "No pools. Make one with `signalbox pool create NAME`.",
	}
	for _, p := range pools {
		g.Add(output.Text(p.GetName()), poolState(p), output.Number(p.GetAgentsOnline()), output.Number(p.GetLeased()),
			output.Number(p.GetReady()), slots(p), output.Text(p.GetPauseNote()), output.Text(p.GetId()))
	}
	return g
}

func poolState(p *poolv1.Pool) output.Cell {
	switch {
	case p.GetPaused():
		return output.State("paused")
	case p.GetAgentsOnline() == 0:
		return output.Cell{Text: "○ no agent online", Tone: output.Warn}
	}
	return output.State("online")
}

func slots(p *poolv1.Pool) output.Cell {
	if p.GetSlots() == 0 {
		return output.Cell{Text: "auto", Tone: output.Faint}
	}
	return output.Number(p.GetSlots())
}

func (a *app) poolGetCommand() *cobra.Command {
	c := a.command("get POOL", "Show a pool and its agents", oneArg("POOL"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Pool.GetPool(ctx, &poolv1.GetPoolRequest{Name: args[0]})
		if err != nil {
			return err
		}
		v := a.poolView(res, res.GetPool())
		if k := res.GetSealingKey(); k != nil {
			sheet, _ := v.Blocks[0].(*output.Sheet)
			sheet.Add("sealing key", output.Text(sealingKeyText(k)))
		}
		v.Blocks = append(v.Blocks, a.agentGrid(res.GetAgents()))
		return a.print(v)
	})
	c.ValidArgsFunction = a.completePools
	return c
}

func sealingKeyText(k *tenancyv1.SealingKey) string {
	return k.GetKid() + " (" + k.GetFingerprint() + ")"
}

func (a *app) poolView(answer proto.Message, p *poolv1.Pool) output.View {
	sheet := &output.Sheet{}
	sheet.Add("pool", output.Text(p.GetName()))
	sheet.Add("id", output.Text(p.GetId()))
	sheet.Add("state", poolState(p))
	sheet.Add("note", output.Text(p.GetPauseNote()))
	sheet.Add("slots", slots(p))
	sheet.Add("running", output.Number(p.GetLeased()))
	sheet.Add("waiting", output.Number(p.GetReady()))
	sheet.Add("agents online", output.Number(p.GetAgentsOnline()))
	if f := p.GetFairness(); f != "" && f != "workspace" {
		sheet.Add("fairness", output.Text(f+weightsText(p.GetWeights())))
	}
	if ms := p.GetReserveAfterMs(); ms > 0 {
		sheet.Add("reserve after", output.Text(plan.Millis(ms).String()))
	}
	sheet.Add("created", a.moment(p.GetCreatedAt()))
	return output.View{Answer: answer, Names: []string{p.GetName()}, Blocks: []output.Block{sheet}}
}

func weightsText(weights map[string]float64) string {
	var out strings.Builder
	for _, k := range slices.Sorted(maps.Keys(weights)) {
		fmt.Fprintf(&out, " %s=%g", k, weights[k])
	}
	return out.String()
}

func (a *app) poolCreateCommand() *cobra.Command {
	req := &poolv1.CreatePoolRequest{}
	c := a.command("create NAME", "Make a pool", oneArg("NAME"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		req.Name = args[0]
		res, err := api.Pool.CreatePool(ctx, req)
		if err != nil {
			return err
		}
		return a.done(output.View{Answer: res, Names: []string{res.GetPool().GetName()}},
			"Pool %s is there. `signalbox pool join-token %s` lets an agent join it.", res.GetPool().GetName(), res.GetPool().GetName())
	})
	c.Flags().Uint32Var(&req.Slots, "slots", 0, "how many `SLOTS` may be in use at once; 0 means as many as its agents have")
	return c
}

func (a *app) poolSetCommand() *cobra.Command {
	var slots uint32
	var fairness, reserve string
	var weights map[string]string
	var c *cobra.Command
	c = a.command("set POOL", "Change a pool's slots, or how it is shared", oneArg("POOL"), func(ctx context.Context, args []string) error {
		req := &poolv1.UpdatePoolRequest{Name: args[0]}
		set := c.Flags().Changed
		if set("slots") {
			req.Slots = &slots
		}
		if set("fairness") {
			req.Fairness = &fairness
		}
		if set("reserve-after") {
			after, err := durationFlag("reserve-after", reserve)
			if err != nil {
				return err
			}
			req.ReserveAfterMs = new(after.Milliseconds())
		}
		if set("weight") {
			var err error
			if req.Weights, err = weightsOf(weights); err != nil {
				return err
			}
			req.SetWeights = true
		}
		if !set("slots") && !set("fairness") && !set("reserve-after") && !set("weight") {
			return exit.Usagef("nothing to change: give --slots, --fairness, --weight or --reserve-after")
		}
		return a.updatePool(ctx, req)
	})
	c.Example = "  signalbox pool set gpu --slots 8\n  signalbox pool set gpu --fairness label:team --weight risk=3,search=1"
	c.Flags().Uint32Var(&slots, "slots", 0, "how many `SLOTS` may be in use at once; 0 means as many as its agents have")
	c.Flags().StringVar(&fairness, "fairness", "", "who gets equal parts: `workspace` or label:NAME")
	c.Flags().StringToStringVar(&weights, "weight", nil, "what values of the label count for, as in `risk=3`; the others 1")
	c.Flags().StringVar(&reserve, "reserve-after", "", "how long a task that does not fit waits until room is kept free for it, as in `60s`; 0s: for ever")
	c.ValidArgsFunction = a.completePools
	return c
}

func weightsOf(text map[string]string) (map[string]float64, error) {
	out := map[string]float64{}
	for k, v := range text {
		w, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return nil, exit.Usagef("--weight %s=%s: want a number", k, v)
		}
		out[k] = w
	}
	return out, nil
}

func (a *app) poolPauseCommand() *cobra.Command {
	var note string
	c := a.command("pause POOL", "Give out no more tasks; what runs goes on", oneArg("POOL"), func(ctx context.Context, args []string) error {
		return a.updatePool(ctx, &poolv1.UpdatePoolRequest{Name: args[0], Paused: new(true), PauseNote: &note})
	})
	c.Flags().StringVar(&note, "note", "", "`WHY`: shown wherever somebody asks why a task waits")
	c.ValidArgsFunction = a.completePools
	return c
}

func (a *app) poolResumeCommand() *cobra.Command {
	c := a.command("resume POOL", "Give out tasks again", oneArg("POOL"), func(ctx context.Context, args []string) error {
		return a.updatePool(ctx, &poolv1.UpdatePoolRequest{Name: args[0], Paused: new(false), PauseNote: new("")})
	})
	c.ValidArgsFunction = a.completePools
	return c
}

func (a *app) updatePool(ctx context.Context, req *poolv1.UpdatePoolRequest) error {
	api, err := a.api()
	if err != nil {
		return err
	}
	res, err := api.Pool.UpdatePool(ctx, req)
	if err != nil {
		return err
	}
	return a.print(a.poolView(res, res.GetPool()))
}

func (a *app) poolJoinTokenCommand() *cobra.Command {
	req := &poolv1.CreateJoinTokenRequest{}
	c := a.command("join-token POOL", "Make a token with which agents join a pool; it is shown once", oneArg("POOL"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		req.Pool = args[0]
		res, err := api.Pool.CreateJoinToken(ctx, req)
		if err != nil {
			return err
		}
		if !a.flags.structured() {
			a.note("The token expires %s. On the agent's machine, run:", a.moment(res.GetExpiresAt()).Text)
		}
		return a.print(output.View{
			Answer: res, Names: []string{res.GetToken()},
			Blocks: []output.Block{output.Prose(res.GetCommand())},
		})
	})
	c.Flags().Uint32Var(&req.Uses, "uses", 0, "the `NUMBER` of agents that may join with it (default 1)")
	c.Flags().Uint32Var(&req.Hours, "hours", 0, "how many `HOURS` it is valid, 720 at most (default 24)")
	c.ValidArgsFunction = a.completePools
	return c
}

func (a *app) poolRevokeJoinTokensCommand() *cobra.Command {
	c := a.command("revoke-join-tokens POOL", "Make all join tokens of a pool worthless; agents that have joined go on", oneArg("POOL"),
		func(ctx context.Context, args []string) error {
			api, err := a.api()
			if err != nil {
				return err
			}
			res, err := api.Pool.RevokeJoinTokens(ctx, &poolv1.RevokeJoinTokensRequest{Pool: args[0]})
			if err != nil {
				return err
			}
			return a.done(output.View{Answer: res}, "No join token of pool %s is valid any more (%d were).", args[0], res.GetRevoked())
		})
	c.ValidArgsFunction = a.completePools
	return c
}
