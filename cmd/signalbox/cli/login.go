package cli

import (
	"cmp"
	"context"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/profile"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

// login is the state of one `signalbox login`.
type login struct {
	*app

	email         string
	passwordStdin bool
	token         string
	name          string
}

func (a *app) loginCommand() *cobra.Command {
	l := &login{app: a}
	c := a.command("login", "Log in to a server and remember it", noArgs, l.run)
	c.Long = `Log in to a server and remember it in the profile.

With an e-mail address and a password, a personal token of 90 days is made and
kept in config.toml (0600); the password is not kept. With --token, an API key
is kept instead. In CI no login is needed: set SIGNALBOX_TOKEN.`
	c.Example = `  signalbox login
  signalbox login --server https://signalbox.example.com --email ada@example.com
  signalbox login --token - < key.txt`
	c.Flags().StringVar(&l.email, "email", "", "your e-mail `ADDRESS`")
	c.Flags().BoolVar(&l.passwordStdin, "password-stdin", false, "read the password from standard input")
	c.Flags().StringVar(&l.token, "token", "", "keep this API `KEY` (sbk_…) or personal token; - reads it from standard input")
	c.Flags().StringVar(&l.name, "name", "", "the `NAME` of the token that is made; the machine's by default")
	return c
}

func (l *login) run(ctx context.Context, _ []string) error {
	if l.token != "" && (l.email != "" || l.passwordStdin) {
		return exit.Usagef("--token excludes --email and --password-stdin: a token needs no password")
	}
	s, err := l.settingsForNew()
	if err != nil {
		return err
	}
	if u, err := url.Parse(s.Server.Value); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		l.note("warning: %s is not encrypted: everyone on the way can read your password and token", s.Server.Value)
	}
	token, err := l.obtainToken(ctx, s)
	if err != nil {
		return err
	}
	s.Token = profile.Setting{Value: token}
	who, err := client.New(l.clientConfig(atHome(s))).Account.WhoAmI(ctx, &tenancyv1.WhoAmIRequest{})
	if err != nil {
		return err
	}
	return l.remember(s, token, who)
}

// settingsForNew are the settings in use, where the profile that is named need
// not exist yet.
func (l *login) settingsForNew() (profile.Settings, error) {
	config, _, err := l.config()
	if err != nil {
		return profile.Settings{}, err
	}
	if name := cmp.Or(l.flags.profile, l.opts.Getenv(profile.EnvProfile)); name != "" {
		config.Named(name)
	}
	return l.resolve(config)
}

// atHome leaves out organization and workspace: the question is who one is, and
// those of another login would only spoil it.
func atHome(s profile.Settings) profile.Settings {
	s.Organization, s.Workspace = profile.Setting{}, profile.Setting{}
	return s
}

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

func (l *login) obtainToken(ctx context.Context, s profile.Settings) (string, error) {
	switch l.token {
	case "":
		return l.signIn(ctx, s)
	case "-":
		token, err := l.secretFromInput()
		if err == nil && token == "" {
			err = exit.Usagef("--token -: standard input is empty")
		}
		return token, err
	}
	return l.token, nil
}

// signIn changes a password for a personal token. The session that it needs in
// between is ended at once.
func (l *login) signIn(ctx context.Context, s profile.Settings) (string, error) {
	config := l.clientConfig(atHome(s))
	config.Token = ""
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	config.Jar = jar
	api := client.New(config)

	req, err := l.credentials(s)
	if err != nil {
		return "", err
	}
	if _, err := api.Account.SignIn(ctx, req); err != nil {
		return "", err
	}
	made, err := api.Account.CreatePersonalToken(ctx, &tenancyv1.CreatePersonalTokenRequest{Name: l.tokenName()})
	if err != nil {
		return "", err
	}
	// A session that could not be ended expires by itself.
	_, _ = api.Account.SignOut(ctx, &tenancyv1.SignOutRequest{})
	return made.GetToken(), nil
}

func (l *login) credentials(s profile.Settings) (*tenancyv1.SignInRequest, error) {
	req := &tenancyv1.SignInRequest{Email: l.email}
	if l.flags.curl {
		req.Password = "…"
		return req, nil
	}
	var err error
	if req.Email == "" {
		l.note("Logging in to %s", s.Server.Value)
		if req.Email, err = l.ask("E-mail", "--email"); err != nil {
			return nil, err
		}
	}
	if l.passwordStdin {
		req.Password, err = l.secretFromInput()
	} else {
		req.Password, err = l.askSecret("Password", "--password-stdin")
	}
	return req, err
}

func (l *login) tokenName() string {
	if l.name != "" {
		return l.name
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		return "signalbox"
	}
	return "signalbox on " + host
}

// remember writes the profile, with an organization and a workspace where there
// is only one to choose.
func (l *login) remember(s profile.Settings, token string, who *tenancyv1.WhoAmIResponse) error {
	config, dir, err := l.config()
	if err != nil {
		return err
	}
	name := l.profileFor(config, s)
	p := config.Named(name)
	*p = profile.Profile{Server: s.Server.Value, Token: token}
	org, ws := given(s.Organization), given(s.Workspace)
	home, homeErr := findPlace(who, org, ws)
	if homeErr == nil {
		p.Organization, p.Workspace = home.org.GetSlug(), home.ws.GetSlug()
	} else if org != "" || ws != "" {
		return homeErr
	}
	if s.Server.Source != profile.FromFolder {
		config.Profile = name
	}
	if err := config.Save(dir); err != nil {
		return err
	}
	l.note("Logged in to %s as %s (profile %s).", s.Server.Value, callerName(who), name)
	switch {
	case homeErr == nil:
		l.note("Working in %s.", home.name())
	case len(who.GetInvitations()) > 0:
		l.note("You are invited: `signalbox whoami` shows where, `signalbox org join INVITATION` accepts.")
	default:
		l.note("But %s: %s.", homeErr.Error(), exit.From(homeErr).Hint)
	}
	return nil
}

// profileFor is the profile to write: the one that was named, else the one in
// use, unless that holds a login to another server.
func (l *login) profileFor(config *profile.Config, s profile.Settings) string {
	name := s.Profile.Value
	if s.Profile.Source == profile.FromFlag || s.Profile.Source == profile.FromEnvironment {
		return name
	}
	old := config.Profiles[name]
	if old == nil || old.Token == "" || profile.SameServer(old.Server, s.Server.Value) {
		return name
	}
	u, err := url.Parse(s.Server.Value)
	if err != nil {
		return name
	}
	return u.Host
}

// given is a setting that was given for this very command; those of files may
// belong to an earlier login.
func given(s profile.Setting) string {
	if s.Source == profile.FromFlag || s.Source == profile.FromEnvironment {
		return s.Value
	}
	return ""
}

// callerName is how a user or key is called.
func callerName(who *tenancyv1.WhoAmIResponse) string {
	if u := who.GetUser(); u != nil {
		return u.GetEmail()
	}
	return "key " + who.GetKey().GetName()
}
