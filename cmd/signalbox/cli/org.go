package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

func (a *app) orgCommand() *cobra.Command {
	return group("org", "Organizations: who is billed",
		a.orgListCommand(), a.orgGetCommand(), a.orgCreateCommand(), a.orgJoinCommand(), a.orgFreezeCommand(), a.orgUnfreezeCommand())
}

func (a *app) orgListCommand() *cobra.Command {
	return a.command("list", "List the organizations you belong to", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		who, err := api.Account.WhoAmI(ctx, &tenancyv1.WhoAmIRequest{})
		if err != nil {
			return err
		}
		grid := &output.Grid{
			Columns: []output.Column{{Head: "ORGANIZATION"}, {Head: "NAME"}, {Head: "ROLE"}, {Head: "PLAN"}, {Head: "STATE"}, {Head: "ID", Wide: true}},
			Empty:   "You belong to no organization. Make one with `signalbox org create NAME`.",
		}
		for _, m := range who.GetMemberships() {
			o := m.GetOrganization()
			grid.Add(output.Text(o.GetSlug()), output.Text(o.GetName()), output.Text(m.GetRole()),
				output.Text(o.GetPlan()), output.Text(o.GetState()), output.Text(o.GetId()))
		}
		return a.print(output.View{
			Answer: &tenancyv1.WhoAmIResponse{Memberships: who.GetMemberships()},
			Items:  output.Items(who.GetMemberships()),
			Names:  output.NamesOf(who.GetMemberships(), func(m *tenancyv1.Membership) string { return m.GetOrganization().GetSlug() }),
			Blocks: []output.Block{grid},
		})
	})
}

func (a *app) orgGetCommand() *cobra.Command {
	return a.command("get [ORG]", "Show an organization", upTo(0, "ORG"), func(ctx context.Context, args []string) error {
		if len(args) == 1 {
			a.flags.org = args[0]
		}
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Organization.GetOrganization(ctx, &tenancyv1.GetOrganizationRequest{})
		if err != nil {
			return err
		}
		return a.print(a.orgView(res, res.GetOrganization()))
	})
}

func (a *app) orgCreateCommand() *cobra.Command {
	req := &tenancyv1.CreateOrganizationRequest{}
	c := a.command("create NAME", "Make an organization with a first workspace; you own it", oneArg("NAME"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		req.Name = args[0]
		res, err := api.Account.CreateOrganization(ctx, req)
		if err != nil {
			return err
		}
		created := place{res.GetOrganization(), res.GetWorkspace()}
		if err := a.usePlace(created); err != nil {
			return err
		}
		if !a.flags.structured() {
			a.note("Organization %s is now in use: working in %s.", created.org.GetSlug(), created.name())
		}
		v := a.orgView(res.GetOrganization(), res.GetOrganization())
		v.Answer = res
		return a.print(v)
	})
	c.Flags().StringVar(&req.Slug, "slug", "", "its short `NAME` in addresses; proposed from the name where it is not given")
	c.Flags().StringVar(&req.WorkspaceName, "workspace-name", "", "the first workspace's `NAME` (default \"default\")")
	return c
}

func (a *app) orgFreezeCommand() *cobra.Command {
	req := &tenancyv1.FreezeOrganizationRequest{}
	c := a.command("freeze", "Give nothing new to any agent of the organization; what runs goes on", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Organization.FreezeOrganization(ctx, req)
		if err != nil {
			return err
		}
		return a.print(a.orgView(res, res.GetOrganization()))
	})
	c.Flags().StringVar(&req.Note, "note", "", "`WHY`: shown wherever somebody asks why a task waits")
	return c
}

func (a *app) orgUnfreezeCommand() *cobra.Command {
	return a.command("unfreeze", "Let the organization's work go on", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Organization.UnfreezeOrganization(ctx, &tenancyv1.UnfreezeOrganizationRequest{})
		if err != nil {
			return err
		}
		return a.print(a.orgView(res, res.GetOrganization()))
	})
}

func (a *app) orgJoinCommand() *cobra.Command {
	return a.command("join INVITATION", "Accept an invitation: its id, or the token of the mail", oneArg("INVITATION"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		req := &tenancyv1.AcceptInvitationRequest{Token: args[0]}
		if strings.HasPrefix(args[0], "inv_") {
			req = &tenancyv1.AcceptInvitationRequest{InvitationId: args[0]}
		}
		res, err := api.Account.AcceptInvitation(ctx, req)
		if err != nil {
			return err
		}
		o := res.GetOrganization()
		return a.done(output.View{Answer: res, Names: []string{o.GetSlug()}},
			"You are a member of %s now. `signalbox workspace use %s/…` works there.", o.GetSlug(), o.GetSlug())
	})
}

func (a *app) orgView(answer proto.Message, o *tenancyv1.Organization) output.View {
	sheet := &output.Sheet{}
	sheet.Add("organization", output.Text(o.GetSlug()))
	sheet.Add("name", output.Text(o.GetName()))
	sheet.Add("id", output.Text(o.GetId()))
	sheet.Add("plan", output.Text(o.GetPlan()))
	sheet.Add("state", output.Text(o.GetState()))
	if o.GetFrozenAt() != nil {
		sheet.Add("frozen", a.moment(o.GetFrozenAt()))
		sheet.Add("why", output.Text(o.GetFreezeNote()))
	}
	sheet.Add("created", a.moment(o.GetCreatedAt()))
	return output.View{Answer: answer, Names: []string{o.GetSlug()}, Blocks: []output.Block{sheet}}
}
