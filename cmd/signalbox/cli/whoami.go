package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

func (a *app) whoamiCommand() *cobra.Command {
	return a.command("whoami", "Show who you are and what you may enter", noArgs, func(ctx context.Context, _ []string) error {
		api, err := a.api()
		if err != nil {
			return err
		}
		who, err := api.Account.WhoAmI(ctx, &tenancyv1.WhoAmIRequest{})
		if err != nil {
			return err
		}
		s, err := a.settings()
		if err != nil {
			return err
		}
		return a.print(whoamiView(who, s.Server.Value))
	})
}

func whoamiView(who *tenancyv1.WhoAmIResponse, server string) output.View {
	v := output.View{Answer: who}
	sheet := &output.Sheet{}
	if u := who.GetUser(); u != nil {
		v.Names = []string{u.GetEmail()}
		sheet.Add("user", output.Text(u.GetEmail()))
		sheet.Add("name", output.Text(u.GetName()))
		sheet.Add("id", output.Text(u.GetId()))
		if !u.GetEmailVerified() {
			sheet.Add("e-mail", output.Cell{Text: "not verified", Tone: output.Warn})
		}
	}
	if k := who.GetKey(); k != nil {
		v.Names = []string{k.GetName()}
		sheet.Add("key", output.Text(k.GetName()))
		sheet.Add("id", output.Text(k.GetId()))
		sheet.Add("role", output.Text(k.GetRole()))
	}
	sheet.Add("server", output.Text(server))
	v.Blocks = []output.Block{sheet, membershipGrid(who.GetMemberships())}
	if len(who.GetInvitations()) > 0 {
		v.Blocks = append(v.Blocks, invitationGrid("Open invitations", who.GetInvitations()))
	}
	return v
}

func membershipGrid(memberships []*tenancyv1.Membership) *output.Grid {
	g := &output.Grid{
		Columns: []output.Column{
			{Head: "ORGANIZATION"},
			{Head: "ORG ROLE"},
			{Head: "WORKSPACE"},
			{Head: "ROLE"},
			{Head: "PERMISSIONS", Wide: true},
		},
		Empty: "You belong to no organization. Make one with `signalbox org create NAME`.",
	}
	for _, m := range memberships {
		org := output.Text(m.GetOrganization().GetSlug())
		if len(m.GetWorkspaces()) == 0 {
			g.Add(org, output.Text(m.GetRole()), output.Text(""), output.Text(""), output.Text(""))
		}
		for _, w := range m.GetWorkspaces() {
			g.Add(org, output.Text(m.GetRole()), output.Text(w.GetWorkspace().GetSlug()),
				output.Text(w.GetRole()), output.Text(strings.Join(w.GetPermissions(), " ")))
		}
	}
	return g
}

func (a *app) logoutCommand() *cobra.Command {
	c := a.command("logout", "Forget the token of the profile", noArgs, func(ctx context.Context, _ []string) error {
		s, err := a.settings()
		if err != nil {
			return err
		}
		config, dir, err := a.config()
		if err != nil {
			return err
		}
		p := config.Profiles[s.Profile.Value]
		if p == nil || p.Token == "" {
			a.note("Profile %s holds no token.", s.Profile.Value)
			return nil
		}
		s.Server.Value, s.Token.Value = p.Server, p.Token
		// The session ends at the server too, where it is one and can be reached;
		// forgetting the token here must not depend on that.
		_, _ = client.New(a.clientConfig(atHome(s))).Account.SignOut(ctx, &tenancyv1.SignOutRequest{})
		p.Token = ""
		if err := config.Save(dir); err != nil {
			return err
		}
		a.note("Logged out of %s (profile %s).", p.Server, s.Profile.Value)
		return nil
	})
	c.Long = `Forget the token of the profile. The profile keeps its server, organization and
workspace. An API key stays valid: ` + "`signalbox key revoke`" + ` ends one for everybody.`
	return c
}
