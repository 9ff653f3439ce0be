package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

func (a *app) memberInviteCommand() *cobra.Command {
	req := &tenancyv1.InviteMemberRequest{}
	var ws string
	c := a.command("invite EMAIL", "Invite somebody by mail, for seven days", oneArg("EMAIL"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		if (ws == "") != (req.GetWorkspaceRole() == "") {
			return exit.Usagef("--in and --workspace-role belong together")
		}
		req.Email = args[0]
		if req.WorkspaceId, err = workspaceID(ctx, api, ws); err != nil {
			return err
		}
		res, err := api.Member.InviteMember(ctx, req)
		if err != nil {
			return err
		}
		inv := res.GetInvitation()
		return a.done(output.View{Answer: res, Names: []string{inv.GetId()}},
			"%s is invited as %s. The link, in case the mail does not arrive (it is shown only here):\n%s",
			inv.GetEmail(), inv.GetRole(), res.GetLink())
	})
	c.Flags().StringVar(&req.Role, "role", "member", "the `ROLE` in the organization: owner, admin, billing or member")
	c.Flags().StringVar(&ws, "in", "", "also give a role in this `WORKSPACE`")
	c.Flags().StringVar(&req.WorkspaceRole, "workspace-role", "", "the `ROLE` in it: admin, developer, operator or viewer")
	return c
}

func (a *app) memberInvitationsCommand() *cobra.Command {
	return a.command("invitations", "List the open invitations", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Member.ListInvitations(ctx, &tenancyv1.ListInvitationsRequest{})
		if err != nil {
			return err
		}
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetInvitations()),
			Names:  output.NamesOf(res.GetInvitations(), (*tenancyv1.Invitation).GetId),
			Blocks: []output.Block{invitationGrid("", res.GetInvitations())},
		})
	})
}

func (a *app) memberUninviteCommand() *cobra.Command {
	return a.command("uninvite INVITATION", "Take an invitation back", oneArg("INVITATION"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Member.RevokeInvitation(ctx, &tenancyv1.RevokeInvitationRequest{Id: args[0]})
		if err != nil {
			return err
		}
		return a.done(output.View{Answer: res}, "Invitation %s is no longer valid.", args[0])
	})
}

func invitationGrid(title string, invitations []*tenancyv1.Invitation) *output.Grid {
	g := &output.Grid{
		Title: title,
		Columns: []output.Column{
			{Head: "INVITATION"},
			{Head: "E-MAIL"},
			{Head: "ORGANIZATION"},
			{Head: "ROLE"},
			{Head: "INVITED BY"},
			{Head: "EXPIRES"},
		},
		Empty: "No open invitations.",
	}
	for _, i := range invitations {
		g.Add(output.Text(i.GetId()), output.Text(i.GetEmail()), output.Text(i.GetOrganizationName()),
			output.Text(i.GetRole()), output.Text(i.GetInvitedBy()), day(i.GetExpiresAt()))
	}
	return g
}
