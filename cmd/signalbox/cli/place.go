package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/profile"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

// place is the organization and the workspace that a command works in, as the
// service knows them: with their ids, which sealing binds to.
type place struct {
	org *tenancyv1.Organization
	ws  *tenancyv1.Workspace
}

// name is how people call the place.
func (p place) name() string { return p.org.GetSlug() + "/" + p.ws.GetSlug() }

// place asks the service what the settings' organization and workspace are.
func (a *app) place(ctx context.Context, api *client.Clients, s profile.Settings) (place, error) {
	who, err := api.Account.WhoAmI(client.Preparing(ctx), &tenancyv1.WhoAmIRequest{})
	if err != nil {
		return place{}, err
	}
	return findPlace(who, s.Organization.Value, s.Workspace.Value)
}

// findPlace picks the workspace that is meant. What is not named may be left
// out where there is only one; a key that is bound to a workspace means that.
func findPlace(who *tenancyv1.WhoAmIResponse, org, ws string) (place, error) {
	if ws == "" {
		ws = who.GetKey().GetWorkspaceId()
	}
	var found []place
	for _, m := range who.GetMemberships() {
		if !named(org, m.GetOrganization().GetId(), m.GetOrganization().GetSlug()) {
			continue
		}
		for _, w := range m.GetWorkspaces() {
			if named(ws, w.GetWorkspace().GetId(), w.GetWorkspace().GetSlug()) {
				found = append(found, place{m.GetOrganization(), w.GetWorkspace()})
			}
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 && org == "" && ws == "":
		return place{}, exit.New(exit.NotFound, "you may enter no workspace yet").
			Advise("make an organization with `signalbox org create NAME`, or ask for an invitation")
	case len(found) == 0:
		return place{}, exit.New(exit.NotFound, "there is no workspace %q that you may enter", strings.Trim(org+"/"+ws, "/")).
			Advise("`signalbox whoami` lists them")
	}
	names := make([]string, 0, len(found))
	for _, p := range found {
		names = append(names, p.name())
	}
	return place{}, exit.Usagef("which workspace? There are %s", strings.Join(names, ", ")).
		Advise("say it with --workspace, or once for all with `signalbox workspace use NAME`")
}

// onlyPlace is where a call belongs that does not say it: the only organization,
// and its only workspace. What there are several of is empty.
func onlyPlace(who *tenancyv1.WhoAmIResponse, org, ws string) (organization, workspace string) {
	if p, err := findPlace(who, org, ws); err == nil {
		return p.org.GetSlug(), p.ws.GetSlug()
	}
	if m := who.GetMemberships(); len(m) == 1 && org == "" {
		return m[0].GetOrganization().GetSlug(), ""
	}
	return "", ""
}

// named reports whether a name that was given, if one was, is one of the names.
func named(given string, names ...string) bool {
	return given == "" || slices.Contains(names, given)
}
