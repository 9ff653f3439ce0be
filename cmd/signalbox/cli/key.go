package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

func (a *app) keyCommand() *cobra.Command {
	return group("key", "API keys: credentials of programs",
		a.keyListCommand(), a.keyCreateCommand(), a.keyRevokeCommand())
}

func (a *app) keyListCommand() *cobra.Command {
	return a.command("list", "List the API keys", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Key.ListKeys(ctx, &tenancyv1.ListKeysRequest{})
		if err != nil {
			return err
		}
		grid := &output.Grid{
			Columns: []output.Column{
				{Head: "KEY"},
				{Head: "NAME"},
				{Head: "LOOKS LIKE"},
				{Head: "ROLE"},
				{Head: "STATE"},
				{Head: "LAST USED"},
				{Head: "EXPIRES"},
				{Head: "WORKSPACE", Wide: true},
				{Head: "CREATED BY", Wide: true},
			},
			Empty: "No API keys. Make one with `signalbox key create NAME --role ROLE`.",
		}
		for _, k := range res.GetKeys() {
			grid.Add(output.Text(k.GetId()), output.Text(k.GetName()), output.Text(k.GetPrefix()+"…"+k.GetLast4()),
				output.Text(k.GetRole()), a.keyState(k), a.ago(k.GetLastUsedAt()), day(k.GetExpiresAt()),
				output.Text(k.GetWorkspaceId()), output.Text(k.GetCreatedBy()))
		}
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetKeys()),
			Names:  output.NamesOf(res.GetKeys(), (*tenancyv1.Key).GetId),
			Blocks: []output.Block{grid},
		})
	})
}

func (a *app) keyState(k *tenancyv1.Key) output.Cell {
	switch {
	case k.GetRevokedAt() != nil:
		return output.State("revoked")
	case k.GetExpiresAt() != nil && k.GetExpiresAt().AsTime().Before(a.now()):
		return output.Cell{Text: "expired", Tone: output.Warn}
	}
	return output.Cell{Text: "valid", Tone: output.Good}
}

func (a *app) keyCreateCommand() *cobra.Command {
	req := &tenancyv1.CreateKeyRequest{}
	var ws string
	c := a.command("create NAME", "Make an API key; its secret is shown once", oneArg("NAME"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		if req.GetRole() == "" {
			return exit.Usagef("--role is missing: what may the key do?")
		}
		if ws == "" && slices.Contains([]string{"developer", "operator", "viewer"}, req.GetRole()) {
			return exit.Usagef("--role %s is a role in a workspace", req.GetRole()).
				Advise("name the workspace with --in WORKSPACE; without it, the key is the organization's")
		}
		req.Name = args[0]
		if req.WorkspaceId, err = workspaceID(ctx, api, ws); err != nil {
			return err
		}
		res, err := api.Key.CreateKey(ctx, req)
		if err != nil {
			return err
		}
		if !a.flags.structured() {
			a.note("Key %s, valid until %s. This is the only time that its secret is shown:",
				res.GetKey().GetId(), day(res.GetKey().GetExpiresAt()).Text)
		}
		return a.print(output.View{
			Answer: res, Names: []string{res.GetKey().GetId()},
			Blocks: []output.Block{output.Prose(res.GetSecret())},
		})
	})
	c.Example = `  signalbox key create ci --role developer --in main
  export SIGNALBOX_TOKEN=$(signalbox key create nightly --role operator --in main --days 30)`
	c.Flags().StringVar(&req.Role, "role", "", "the `ROLE`: of the workspace with --in, of the organization otherwise")
	c.Flags().StringVar(&ws, "in", "", "bind the key to this `WORKSPACE`")
	c.Flags().Uint32Var(&req.Days, "days", 0, "how many `DAYS` it is valid, 365 at most (default 90)")
	return c
}

func (a *app) keyRevokeCommand() *cobra.Command {
	var yes bool
	c := a.command("revoke KEY", "End an API key: it is refused from its next call on", oneArg("KEY"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		if err := a.confirm(yes || a.flags.curl, "Revoke "+args[0]+"?"); err != nil {
			return err
		}
		res, err := api.Key.RevokeKey(ctx, &tenancyv1.RevokeKeyRequest{Id: args[0]})
		if err != nil {
			return err
		}
		return a.done(output.View{Answer: res}, "Key %s is revoked.", args[0])
	})
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}
