package client_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/client"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
)

func TestCurlIsSafeForTheShellAndHoldsNoSecret(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	api := client.New(client.Config{Server: "http://s.test", Token: "sbu_secret", Organization: "it's", Curl: &out})
	_, err := api.Account.AcceptInvitation(t.Context(), &tenancyv1.AcceptInvitationRequest{Token: "sbi_secret"})
	require.ErrorIs(t, err, client.ErrWritten)
	require.Equal(t, `curl -sS 'http://s.test/signalbox.tenancy.v1.AccountService/AcceptInvitation' \
  -H "Authorization: Bearer $SIGNALBOX_TOKEN" \
  -H 'Signalbox-Organization: it'\''s' \
  -H 'Content-Type: application/json' \
  -d '{"token":"…"}'
`, out.String())
}

func TestPreparingCallsAreMadeInCurlMode(t *testing.T) {
	t.Parallel()
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	api := client.New(client.Config{Server: server.URL, Curl: &bytes.Buffer{}})
	_, err := api.Account.WhoAmI(client.Preparing(t.Context()), &tenancyv1.WhoAmIRequest{})
	require.Equal(t, connect.CodeUnavailable, connect.CodeOf(err))
	require.Equal(t, 1, calls)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(server.Close)
	api := client.New(client.Config{Server: server.URL, Token: "sbu_secret"})
	_, err := api.Account.WhoAmI(t.Context(), &tenancyv1.WhoAmIRequest{})
	require.Error(t, err)
	require.Equal(t, []string{"/signalbox.tenancy.v1.AccountService/WhoAmI"}, asked)
}
