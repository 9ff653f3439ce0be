package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
)

func (a *app) agentCommand() *cobra.Command {
	return group("agent", "Agents: the programs that run your tasks", a.agentListCommand(), a.agentRevokeCommand())
}

func (a *app) agentListCommand() *cobra.Command {
	req := &poolv1.ListAgentsRequest{}
	c := a.command("list", "List the agents", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Pool.ListAgents(ctx, req)
		if err != nil {
			return err
		}
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetAgents()),
			Names:  output.NamesOf(res.GetAgents(), (*poolv1.Agent).GetId),
			Blocks: []output.Block{a.agentGrid(res.GetAgents())},
		})
	})
	c.Flags().StringVar(&req.Pool, "pool", "", "only those of this `POOL`")
	return c
}

func (a *app) agentGrid(agents []*poolv1.Agent) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{
			{Head: "AGENT"},
			{Head: "POOL"},
			{Head: "STATE"},
			{Head: "TASKS", Right: true},
			{Head: "SLOTS", Right: true},
			{Head: "GPUS", Right: true},
			{Head: "SEEN"},
			{Head: "SEALING KEY"},
			{Head: "VERSION", Wide: true},
			{Head: "CPU", Right: true, Wide: true},
			{Head: "MEMORY", Right: true, Wide: true},
			{Head: "LABELS", Wide: true},
			{Head: "ID"},
		},
		Empty: "No agents. `signalbox pool join-token POOL` prints the command that starts one.",
	}
	for _, x := range agents {
		state := output.State(x.GetState())
		if x.GetDraining() && x.GetState() == "online" {
			state = output.Cell{Text: "● draining", Tone: output.Warn}
		}
		key := output.Cell{Text: "missing", Tone: output.Warn}
		switch {
		case x.GetState() != "online":
			key = output.Text("") // it says so when it connects
		case x.GetHoldsSealingKey():
			key = output.Text("held")
		}
		g.Add(output.Text(x.GetName()), output.Text(x.GetPool()), state, output.Number(x.GetLeases()), output.Number(x.GetSlots()),
			output.Text(gpuText(x)), a.ago(x.GetSeenAt()), key, output.Text(x.GetVersion()), output.Text(cores(x.GetCpuMillis())),
			output.Text(output.Bytes(uint64(max(x.GetMemoryBytes(), 0)))), output.Text(labelText(x.GetLabels())), output.Text(x.GetId()))
	}
	return g
}

func (a *app) agentRevokeCommand() *cobra.Command {
	var yes bool
	c := a.command("revoke AGENT", "End an agent at once; its tasks go elsewhere", oneArg("AGENT"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		if err := a.confirm(yes || a.flags.curl, "Revoke "+args[0]+"? Its running tasks are lost and start again elsewhere."); err != nil {
			return err
		}
		res, err := api.Pool.RevokeAgent(ctx, &poolv1.RevokeAgentRequest{Id: args[0]})
		if err != nil {
			return err
		}
		return a.done(output.View{Answer: res}, "Agent %s is revoked.", args[0])
	})
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}

// labelText spells labels as they are given: k=v, sorted.
func labelText(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, k+"="+labels[k])
	}
	return strings.Join(parts, " ")
}

// gpuText spells what an agent has of GPUs: how many are free of how many, and
// what they are.
func gpuText(x *poolv1.Agent) string {
	if x.GetGpus() == 0 {
		return "0"
	}
	free := uint32(0)
	if x.GetGpusUsed() < x.GetGpus() {
		free = x.GetGpus() - x.GetGpusUsed()
	}
	text := fmt.Sprintf("%d/%d free", free, x.GetGpus())
	if x.GetGpuType() != "" {
		text += " " + x.GetGpuType()
	}
	return text
}

// cores spells thousandths of a processor: 4, 0.5.
func cores(millis int64) string {
	return strings.TrimSuffix(strings.TrimRight(formatMilli(millis), "0"), ".")
}
