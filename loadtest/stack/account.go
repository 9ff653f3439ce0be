package stack

import (
	"context"
	"crypto/rand"
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

// Account is an organization of the benchmark, and a token of its owner.
type Account struct {
	Organization string
	Workspace    string
	Token        string
}

// Transport signs calls as the account, in its workspace.
func (a Account) Transport(next http.RoundTripper) http.RoundTripper {
	return signer{account: a, next: next}
}

type signer struct {
	account Account
	next    http.RoundTripper
}

// RoundTrip adds the credential and where it is used.
func (s signer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+s.account.Token)
	r.Header.Set("Signalbox-Organization", s.account.Organization)
	r.Header.Set("Signalbox-Workspace", s.account.Organization+"/"+s.account.Workspace)
	return s.next.RoundTrip(r)
}

// SignUp goes the way of a new customer, mail included.
func (s *Server) SignUp(ctx context.Context, name string) (Account, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return Account{}, fmt.Errorf("make a cookie jar: %w", err)
	}
	accounts := tenancyv1connect.NewAccountServiceClient(&http.Client{Jar: jar}, s.URL)
	email := name + "@example.com"
	if _, err := accounts.SignUp(ctx, &tenancyv1.SignUpRequest{Email: email, Password: strings.ToLower(rand.Text()), Name: name}); err != nil {
		return Account{}, fmt.Errorf("sign up: %w", err)
	}
	token, err := s.mailed(email)
	if err != nil {
		return Account{}, err
	}
	if _, err := accounts.VerifyEmail(ctx, &tenancyv1.VerifyEmailRequest{Token: token}); err != nil {
		return Account{}, fmt.Errorf("verify the address: %w", err)
	}
	made, err := accounts.CreateOrganization(ctx, &tenancyv1.CreateOrganizationRequest{Name: name})
	if err != nil {
		return Account{}, fmt.Errorf("make an organization: %w", err)
	}
	personal, err := accounts.CreatePersonalToken(ctx, &tenancyv1.CreatePersonalTokenRequest{Name: "bench"})
	if err != nil {
		return Account{}, fmt.Errorf("make a token: %w", err)
	}
	return Account{
		Organization: made.GetOrganization().GetSlug(), Workspace: made.GetWorkspace().GetSlug(), Token: personal.GetToken(),
	}, nil
}

var tokenInMail = regexp.MustCompile(`token=(sbi_[0-9A-Za-z]{36})`)

// mailed reads the verification link out of the mail that was written to a file.
func (s *Server) mailed(to string) (string, error) {
	files, err := filepath.Glob(filepath.Join(s.mail(), "*"))
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

// Accept takes up an invitation to another organization, of which the account
// then is a member; the token stays.
func (s *Server) Accept(ctx context.Context, a Account, invitation string) error {
	accounts := tenancyv1connect.NewAccountServiceClient(&http.Client{Transport: a.Transport(http.DefaultTransport)}, s.URL)
	if _, err := accounts.AcceptInvitation(ctx, &tenancyv1.AcceptInvitationRequest{InvitationId: invitation}); err != nil {
		return fmt.Errorf("accept an invitation: %w", err)
	}
	return nil
}
