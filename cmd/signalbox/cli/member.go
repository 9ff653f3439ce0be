package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

func (a *app) memberCommand() *cobra.Command {
	return group("member", "Members of the organization and their roles",
		a.memberListCommand(), a.memberInviteCommand(), a.memberSetRoleCommand(), a.memberRemoveCommand(),
		a.memberInvitationsCommand(), a.memberUninviteCommand())
}

func (a *app) memberListCommand() *cobra.Command {
	return a.command("list", "List the members", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		res, err := api.Member.ListMembers(ctx, &tenancyv1.ListMembersRequest{})
		if err != nil {
			return err
		}
		grid := &output.Grid{Columns: []output.Column{
			{Head: "E-MAIL"}, {Head: "NAME"}, {Head: "ROLE"}, {Head: "WORKSPACES"}, {Head: "JOINED"}, {Head: "ID", Wide: true},
		}}
		for _, m := range res.GetMembers() {
			grid.Add(output.Text(m.GetEmail()), output.Text(m.GetName()), output.Text(m.GetRole()),
				output.Text(workspaceRoles(m)), a.ago(m.GetJoinedAt()), output.Text(m.GetUserId()))
		}
		return a.print(output.View{
			Answer: res,
			Items:  output.Items(res.GetMembers()),
			Names:  output.NamesOf(res.GetMembers(), (*tenancyv1.Member).GetEmail),
			Blocks: []output.Block{grid},
		})
	})
}

func workspaceRoles(m *tenancyv1.Member) string {
	parts := make([]string, 0, len(m.GetWorkspaceRoles()))
	for _, r := range m.GetWorkspaceRoles() {
		part := r.GetWorkspaceSlug() + ": " + r.GetRole()
		if r.GetDataRead() {
			part += " with data"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func (a *app) memberSetRoleCommand() *cobra.Command {
	var in string
	var data bool
	c := a.command("set-role WHO ROLE", "Give a member another role", exactly("WHO", "ROLE"), func(ctx context.Context, args []string) error {
		api, err := a.apiIn(in)
		if err != nil {
			return err
		}
		user, err := userID(ctx, api, args[0])
		if err != nil {
			return err
		}
		if in == "" {
			if data {
				return exit.Usagef("--data goes with --in: it opens one workspace's logs and values")
			}
			res, err := api.Member.SetMemberRole(ctx, &tenancyv1.SetMemberRoleRequest{UserId: user, Role: args[1]})
			if err != nil {
				return err
			}
			return a.done(output.View{Answer: res, Names: []string{res.GetMember().GetEmail()}},
				"%s is %s now.", res.GetMember().GetEmail(), res.GetMember().GetRole())
		}
		role := args[1]
		if role == "none" {
			role = ""
		}
		res, err := api.Member.SetWorkspaceRole(ctx, &tenancyv1.SetWorkspaceRoleRequest{
			UserId: user, Role: role, DataRead: data,
		})
		if err != nil {
			return err
		}
		return a.done(output.View{Answer: res, Names: []string{res.GetMember().GetEmail()}},
			"%s is %s in %s now.", res.GetMember().GetEmail(), args[1], in)
	})
	c.Long = `Give a member another role: owner, admin, billing or member in the organization;
admin, developer, operator, viewer or none in a workspace (--in). WHO is an
e-mail address or an id.`
	c.Flags().StringVar(&in, "in", "", "set the role in this `WORKSPACE` instead of the organization")
	c.Flags().BoolVar(&data, "data", false, "let a viewer open logs and values too")
	return c
}

func (a *app) memberRemoveCommand() *cobra.Command {
	var yes bool
	c := a.command("remove WHO", "End a membership; the member's tokens die with it", oneArg("WHO"), func(ctx context.Context, args []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		user, err := userID(ctx, api, args[0])
		if err != nil {
			return err
		}
		if err := a.confirm(yes || a.flags.curl, "Remove "+args[0]+" from the organization?"); err != nil {
			return err
		}
		res, err := api.Member.RemoveMember(ctx, &tenancyv1.RemoveMemberRequest{UserId: user})
		if err != nil {
			return err
		}
		return a.done(output.View{Answer: res}, "%s is no member any more.", args[0])
	})
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}

// userID finds a member by e-mail address; an id is taken as it is.
func userID(ctx context.Context, api *client.Clients, who string) (string, error) {
	if !strings.Contains(who, "@") {
		return who, nil
	}
	res, err := api.Member.ListMembers(client.Preparing(ctx), &tenancyv1.ListMembersRequest{})
	if err != nil {
		return "", err
	}
	for _, m := range res.GetMembers() {
		if strings.EqualFold(m.GetEmail(), who) {
			return m.GetUserId(), nil
		}
	}
	return "", exit.New(exit.NotFound, "there is no member %q", who).Advise("`signalbox member list` lists them")
}

// workspaceID finds a workspace of the organization by its short name; an id is
// taken as it is, and empty stays empty.
func workspaceID(ctx context.Context, api *client.Clients, name string) (string, error) {
	if name == "" || strings.HasPrefix(name, "ws_") {
		return name, nil
	}
	res, err := api.Organization.ListWorkspaces(client.Preparing(ctx), &tenancyv1.ListWorkspacesRequest{})
	if err != nil {
		return "", err
	}
	for _, w := range res.GetWorkspaces() {
		if w.GetSlug() == name {
			return w.GetId(), nil
		}
	}
	return "", exit.New(exit.NotFound, "there is no workspace %q", name).Advise("`signalbox workspace list` lists them")
}
