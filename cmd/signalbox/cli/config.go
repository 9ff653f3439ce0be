package cli

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/profile"
)

func (a *app) configCommand() *cobra.Command {
	return group("config", "See and change this program's settings",
		a.configViewCommand(), a.configSetCommand(), a.configUseCommand(), a.configListCommand())
}

func (a *app) configViewCommand() *cobra.Command {
	var origin bool
	c := a.command("view", "Show the settings in use", noArgs, func(context.Context, []string) error {
		s, err := a.settings()
		if err != nil {
			return err
		}
		rows := []struct {
			name    string
			setting profile.Setting
		}{
			{"profile", s.Profile},
			{"server", s.Server},
			{"organization", s.Organization},
			{"workspace", s.Workspace},
			{"token", hidden(s.Token)},
		}
		var object output.Object
		grid := &output.Grid{Columns: []output.Column{{Head: "SETTING"}, {Head: "VALUE"}, {Head: "FROM"}}}
		sheet := &output.Sheet{}
		for _, r := range rows {
			object = append(object, output.Field{Name: r.name, Value: output.Object{
				{Name: "value", Value: r.setting.Value}, {Name: "origin", Value: r.setting.Origin},
			}})
			grid.Add(output.Text(r.name), output.Text(r.setting.Value), output.Text(r.setting.Origin))
			sheet.Add(r.name, output.Text(r.setting.Value))
		}
		if origin {
			return a.printLocal(object, grid)
		}
		return a.printLocal(object, sheet)
	})
	c.Flags().BoolVar(&origin, "origin", false, "say where each value comes from")
	return c
}

// hidden shows which token is in use without showing it.
func hidden(s profile.Setting) profile.Setting {
	if len(s.Value) > 12 {
		s.Value = s.Value[:4] + "…" + s.Value[len(s.Value)-4:]
	} else if s.Value != "" {
		s.Value = "…"
	}
	return s
}

func (a *app) configListCommand() *cobra.Command {
	return a.command("list", "List the profiles", noArgs, func(context.Context, []string) error {
		config, dir, err := a.config()
		if err != nil {
			return err
		}
		s, err := a.settings()
		if err != nil {
			return err
		}
		grid := &output.Grid{
			Columns: []output.Column{{Head: "PROFILE"}, {Head: "SERVER"}, {Head: "WORKSPACE"}, {Head: "IN USE"}},
			Empty:   "No profiles in " + filepath.Join(dir, profile.ConfigFile) + ". `signalbox login` makes one.",
		}
		var object output.Object
		for _, name := range slices.Sorted(maps.Keys(config.Profiles)) {
			p := config.Profiles[name]
			inUse := ""
			if name == s.Profile.Value {
				inUse = "yes"
			}
			grid.Add(output.Text(name), output.Text(p.Server), output.Text(strings.Trim(p.Organization+"/"+p.Workspace, "/")), output.Text(inUse))
			object = append(object, output.Field{Name: name, Value: output.Object{
				{Name: "server", Value: p.Server}, {Name: "organization", Value: p.Organization}, {Name: "workspace", Value: p.Workspace},
			}})
		}
		return a.printLocal(object, grid)
	})
}

func (a *app) configUseCommand() *cobra.Command {
	c := a.command("use PROFILE", "Use another profile from now on", oneArg("PROFILE"), func(_ context.Context, args []string) error {
		config, dir, err := a.config()
		if err != nil {
			return err
		}
		if config.Profiles[args[0]] == nil {
			return exit.New(exit.NotFound, "there is no profile %q", args[0]).Advise("`signalbox config list` lists them")
		}
		config.Profile = args[0]
		return config.Save(dir)
	})
	c.ValidArgsFunction = a.completeProfiles
	return c
}

func (a *app) configSetCommand() *cobra.Command {
	keys := []string{"server", "organization", "workspace"}
	c := a.command("set NAME VALUE", "Change a setting of the profile: "+strings.Join(keys, ", "),
		exactly("NAME", "VALUE"), func(_ context.Context, args []string) error {
			config, dir, err := a.config()
			if err != nil {
				return err
			}
			s, err := a.settings()
			if err != nil {
				return err
			}
			p := config.Named(s.Profile.Value)
			switch args[0] {
			case "server":
				if !profile.SameServer(args[1], args[1]) {
					return exit.Wrongf("%q is no address: want http://… or https://…", args[1])
				}
				if p.Token != "" && !profile.SameServer(p.Server, args[1]) {
					return exit.New(exit.Conflict, "profile %s holds a token for %s", s.Profile.Value, p.Server).
						Advise("log in to the other server instead: `signalbox login --server %s`", args[1])
				}
				p.Server = args[1]
			case "organization":
				p.Organization, p.Workspace = args[1], ""
			case "workspace":
				p.Workspace = args[1]
			default:
				return exit.Usagef("there is no setting %q; want one of %s", args[0], strings.Join(keys, ", "))
			}
			return config.Save(dir)
		})
	return c
}

// printLocal prints what this program knows by itself.
func (a *app) printLocal(object output.Object, block output.Block) error {
	p, err := a.printer()
	if err != nil {
		return err
	}
	if p.Format.Structured() {
		return p.Value(object)
	}
	names := make([]string, 0, len(object))
	for _, f := range object {
		names = append(names, f.Name)
	}
	return p.Print(output.View{Names: names, Blocks: []output.Block{block}})
}
