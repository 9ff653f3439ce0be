package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

func (a *app) workspaceCommand() *cobra.Command {
	return group("workspace", "Workspaces: pipelines, pools and roles of a team",
		a.workspaceListCommand(), a.workspaceCreateCommand(), a.workspaceUseCommand(), a.workspaceKeyCommand())
}

func (a *app) workspaceListCommand() *cobra.Command {
	return a.command("list", "List the organization's workspaces", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Organization.ListWorkspaces(ctx, &tenancyv1.ListWorkspacesRequest{})
		if err != nil {
			return err
		}
		grid := &output.Grid{
			Columns: []output.Column{{Head: "WORKSPACE"}, {Head: "NAME"}, {Head: "SEALING KEY"}, {Head: "CREATED"}, {Head: "ID", Wide: true}},
			Empty:   "No workspaces. Make one with `signalbox workspace create NAME`.",
		}
		for _, w := range res.GetWorkspaces() {
			key := output.Cell{Text: "none yet", Tone: output.Faint}
			if k := w.GetSealingKey(); k != nil {
				key = output.Text(k.GetKid())
			}
			grid.Add(output.Text(w.GetSlug()), output.Text(w.GetName()), key, a.ago(w.GetCreatedAt()), output.Text(w.GetId()))
		}
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetWorkspaces()),
			Names:  output.NamesOf(res.GetWorkspaces(), (*tenancyv1.Workspace).GetSlug),
			Blocks: []output.Block{grid},
		})
	})
}

func (a *app) workspaceCreateCommand() *cobra.Command {
	req := &tenancyv1.CreateWorkspaceRequest{}
	c := a.command("create NAME", "Make a workspace", oneArg("NAME"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		req.Name = args[0]
		res, err := api.Organization.CreateWorkspace(ctx, req)
		if err != nil {
			return err
		}
		slug := res.GetWorkspace().GetSlug()
		return a.done(output.View{Answer: res, Names: []string{slug}},
			"Workspace %s is there. `signalbox workspace use %s` works in it.", slug, slug)
	})
	c.Flags().StringVar(&req.Slug, "slug", "", "its short `NAME` in addresses; proposed from the name where it is not given")
	return c
}

func (a *app) workspaceUseCommand() *cobra.Command {
	c := a.command("use [ORG/]WORKSPACE", "Work in another workspace from now on", oneArg("WORKSPACE"), func(ctx context.Context, args []string) error {
		a.flags.workspace = args[0]
		s, err := a.settings()
		if err != nil {
			return err
		}
		api, err := a.api()
		if err != nil {
			return err
		}
		found, err := a.place(ctx, api, s)
		if err != nil {
			return err
		}
		if err := a.usePlace(found); err != nil {
			return err
		}
		return a.done(output.View{Answer: found.ws, Names: []string{found.ws.GetSlug()}}, "Working in %s.", found.name())
	})
	c.ValidArgsFunction = a.completeWorkspaces
	return c
}

// usePlace makes a place the profile's.
func (a *app) usePlace(p place) error {
	config, dir, err := a.config()
	if err != nil {
		return err
	}
	s, err := a.settings()
	if err != nil {
		return err
	}
	prof := config.Named(s.Profile.Value)
	if prof.Server == "" {
		prof.Server = s.Server.Value
	}
	prof.Organization, prof.Workspace = p.org.GetSlug(), p.ws.GetSlug()
	return config.Save(dir)
}
