package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1/tenancyv1connect"
)

// demoAccount is who the demo signed up as, kept for the next time.
type demoAccount struct {
	Email        string `json:"email"`
	Password     string `json:"password"`
	Token        string `json:"token"`
	Organization string `json:"organization"`
	Workspace    string `json:"workspace"`
}

// client makes calls as the demo's user, in its workspace.
func (a demoAccount) client() *http.Client { return &http.Client{Transport: a} }

// RoundTrip adds the credential and where it is used.
func (a demoAccount) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+a.Token)
	r.Header.Set("Signalbox-Organization", a.Organization)
	r.Header.Set("Signalbox-Workspace", a.Organization+"/"+a.Workspace)
	return http.DefaultTransport.RoundTrip(r)
}

// ensureDemoAccount returns the account of an earlier demo if it still opens,
// and otherwise signs up as a new customer does.
func ensureDemoAccount(ctx context.Context, server, mail, path string) (demoAccount, error) {
	var a demoAccount
	if b, err := os.ReadFile(path); err == nil && json.Unmarshal(b, &a) == nil {
		accounts := tenancyv1connect.NewAccountServiceClient(a.client(), server)
		if _, err := accounts.WhoAmI(ctx, &tenancyv1.WhoAmIRequest{}); err == nil {
			return a, nil
		}
	}
	a, err := signUpDemo(ctx, server, mail)
	if err != nil {
		return a, err
	}
	b, err := json.MarshalIndent(a, "", "  ") //nolint:gosec // a throw-away account of this machine, in a file of mode 0600
	if err != nil {
		return a, fmt.Errorf("encode the demo's account: %w", err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return a, fmt.Errorf("keep the demo's account: %w", err)
	}
	return a, nil
}

// knownAccount is the account of an earlier demo; nil for none.
func knownAccount(dir string) *demoAccount {
	var a demoAccount
	b, err := os.ReadFile(filepath.Join(dir, "demo.json"))
	if err != nil || json.Unmarshal(b, &a) != nil || a.Email == "" {
		return nil
	}
	return &a
}

func signUpDemo(ctx context.Context, server, mail string) (demoAccount, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return demoAccount{}, fmt.Errorf("make a cookie jar: %w", err)
	}
	accounts := tenancyv1connect.NewAccountServiceClient(&http.Client{Jar: jar}, server)
	suffix := strings.ToLower(rand.Text()[:6])
	a := demoAccount{Email: "demo-" + suffix + "@example.com", Password: strings.ToLower(rand.Text()[:16])}
	if _, err := accounts.SignUp(ctx, &tenancyv1.SignUpRequest{Email: a.Email, Password: a.Password, Name: "Demo"}); err != nil {
		return a, fmt.Errorf("sign up: %w", err)
	}
	token, err := mailedToken(mail, a.Email)
	if err != nil {
		return a, err
	}
	if _, err := accounts.VerifyEmail(ctx, &tenancyv1.VerifyEmailRequest{Token: token}); err != nil {
		return a, fmt.Errorf("verify the address: %w", err)
	}
	made, err := accounts.CreateOrganization(ctx, &tenancyv1.CreateOrganizationRequest{Name: "Demo " + suffix})
	if err != nil {
		return a, fmt.Errorf("make an organization: %w", err)
	}
	personal, err := accounts.CreatePersonalToken(ctx, &tenancyv1.CreatePersonalTokenRequest{Name: "demo"})
	if err != nil {
		return a, fmt.Errorf("make a token: %w", err)
	}
	a.Token, a.Organization, a.Workspace = personal.GetToken(), made.GetOrganization().GetSlug(), made.GetWorkspace().GetSlug()
	return a, nil
}

var tokenInMail = regexp.MustCompile(`token=(sbi_[0-9A-Za-z]{36})`)

// mailedToken reads the verification link out of the mail that was written to a
// file.
func mailedToken(dir, to string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return "", fmt.Errorf("read the mail folder: %w", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return "", fmt.Errorf("read the mail: %w", err)
		}
		// Quoted-printable breaks lines and writes = as =3D.
		text := strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(string(b))
		if m := tokenInMail.FindStringSubmatch(text); strings.Contains(text, to) && m != nil {
			return m[1], nil
		}
	}
	return "", errors.New("no mail with a verification link was written")
}
