package e2e_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	schedulev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1/schedulev1connect"
	tenancyv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1/tenancyv1connect"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/authz"
)

func ownPrincipal(org authz.OrgRole, ws authz.WorkspaceRole) authz.Principal {
	return authz.Principal{
		Kind: authz.KindUser, UserID: id.New(), OrgID: id.New(), OrgState: authz.StateActive, OrgRole: org,
		WorkspaceID: id.New(), WorkspaceRole: ws,
	}
}

// invite makes a person with a role, who accepts with the link of the mail, and
// returns a token of his.
func (tn *tenant) invite(name, role, workspaceRole string) string {
	tn.t.Helper()
	ctx := tn.t.Context()
	email := name + "-" + tn.org + "@example.com"
	members := tenancyv1connect.NewMemberServiceClient(tn.http, tn.url)
	req := &tenancyv1.InviteMemberRequest{Email: email, Role: role}
	if workspaceRole != "" {
		req.WorkspaceId, req.WorkspaceRole = tn.workspaceID(), workspaceRole
	}
	invited, err := members.InviteMember(ctx, req)
	require.NoError(tn.t, err)

	jar, err := cookiejar.New(nil)
	require.NoError(tn.t, err)
	accounts := tenancyv1connect.NewAccountServiceClient(&http.Client{Jar: jar}, tn.url)
	_, err = accounts.SignUp(ctx, &tenancyv1.SignUpRequest{Email: email, Password: "correct horse battery staple", Name: name})
	require.NoError(tn.t, err)
	_, err = accounts.VerifyEmail(ctx, &tenancyv1.VerifyEmailRequest{Token: tn.mailedVerification(email)})
	require.NoError(tn.t, err)
	_, err = accounts.AcceptInvitation(ctx, &tenancyv1.AcceptInvitationRequest{InvitationId: invited.GetInvitation().GetId()})
	require.NoError(tn.t, err)
	token, err := accounts.CreatePersonalToken(ctx, &tenancyv1.CreatePersonalTokenRequest{Name: "matrix"})
	require.NoError(tn.t, err)
	return token.GetToken()
}

func (tn *tenant) workspaceID() string {
	tn.t.Helper()
	organizations := tenancyv1connect.NewOrganizationServiceClient(tn.http, tn.url)
	list, err := organizations.ListWorkspaces(tn.t.Context(), &tenancyv1.ListWorkspacesRequest{})
	require.NoError(tn.t, err)
	return list.GetWorkspaces()[0].GetId()
}

func (tn *tenant) revokedKey() string {
	tn.t.Helper()
	keys := tenancyv1connect.NewKeyServiceClient(tn.http, tn.url)
	made, err := keys.CreateKey(tn.t.Context(), &tenancyv1.CreateKeyRequest{Name: "revoked", WorkspaceId: tn.workspaceID(), Role: "developer"})
	require.NoError(tn.t, err)
	_, err = keys.RevokeKey(tn.t.Context(), &tenancyv1.RevokeKeyRequest{Id: made.GetKey().GetId()})
	require.NoError(tn.t, err)
	return made.GetSecret()
}

// collect gathers one of each thing that requests may name. What a test of an
// allowed role destroys is made for that: an extra user, key and invitation.
func (tn *tenant) collect(name, run string) things {
	tn.t.Helper()
	ctx := tn.t.Context()
	out := things{run: run, pipeline: "p-" + name, pool: "pool-" + name, workspace: tn.workspaceID(), session: missingThings().session}
	_, err := tn.pools.CreatePool(ctx, &poolv1.CreatePoolRequest{Name: out.pool})
	require.NoError(tn.t, err)
	out.schedule = "schedule-" + name
	schedules := schedulev1connect.NewScheduleServiceClient(tn.http, tn.url)
	_, err = schedules.CreateSchedule(ctx, &schedulev1.CreateScheduleRequest{
		Name: out.schedule, Pipeline: out.pipeline, Spec: &schedulev1.Spec{Cron: "0 0 1 1 *"},
	})
	require.NoError(tn.t, err)
	p, err := tn.pipelines.GetPipeline(ctx, &pipelinev1.GetPipelineRequest{Name: out.pipeline})
	require.NoError(tn.t, err)
	out.digest = p.GetPipeline().GetDeployedVersion()
	agents, err := tn.pools.ListAgents(ctx, &poolv1.ListAgentsRequest{Pool: "default"})
	require.NoError(tn.t, err)
	out.agent = agents.GetAgents()[0].GetId()

	keys := tenancyv1connect.NewKeyServiceClient(tn.http, tn.url)
	key, err := keys.CreateKey(ctx, &tenancyv1.CreateKeyRequest{Name: "spare", WorkspaceId: out.workspace, Role: "viewer"})
	require.NoError(tn.t, err)
	out.key = key.GetKey().GetId()
	members := tenancyv1connect.NewMemberServiceClient(tn.http, tn.url)
	invited, err := members.InviteMember(ctx, &tenancyv1.InviteMemberRequest{Email: "spare-" + name + "@example.com", Role: "member"})
	require.NoError(tn.t, err)
	out.invitation = invited.GetInvitation().GetId()
	tn.invite("dispensable", "member", "operator")
	list, err := members.ListMembers(ctx, &tenancyv1.ListMembersRequest{})
	require.NoError(tn.t, err)
	for _, m := range list.GetMembers() {
		if strings.HasPrefix(m.GetEmail(), "dispensable") {
			out.user = m.GetUserId()
		}
	}
	return out
}

// answer is what a call came to; Code is empty when it succeeded.
type answer struct {
	Code    string            `json:"code"`
	Message string            `json:"message"`
	Details []json.RawMessage `json:"details"`
}

// masked is the answer without the words that the asker himself sent.
func (a answer) masked(x things, org string) string {
	text := fmt.Sprintf("%s %s %s", a.Code, a.Message, a.Details)
	for _, word := range []string{org, x.run, x.pipeline, x.digest, x.agent, x.user, x.workspace, x.key, x.invitation, x.session, x.pool, x.schedule} {
		if word != "" {
			text = strings.ReplaceAll(text, word, "…")
		}
	}
	return text
}

// call makes a call as JSON; of a stream it reads one message or the error.
func (s *stack) call(t *testing.T, m protoreflect.MethodDescriptor, token string, at place, message map[string]any) answer {
	t.Helper()
	body, err := json.Marshal(message)
	require.NoError(t, err)
	contentType := "application/json"
	if m.IsStreamingServer() {
		contentType = "application/connect+json"
		body = append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	url := fmt.Sprintf("%s/%s/%s", s.url, m.Parent().FullName(), m.Name())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", contentType)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	at.set(req.Header)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	if m.IsStreamingServer() && res.StatusCode == http.StatusOK {
		return firstOf(t, res.Body)
	}
	var out answer
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	if res.StatusCode != http.StatusOK {
		require.NoError(t, json.Unmarshal(b, &out), "%s", b)
		require.NotEmpty(t, out.Code, "%s", b)
	}
	return out
}

// firstOf reads the first frame of a stream: a message, or its end.
func firstOf(t *testing.T, body io.Reader) answer {
	t.Helper()
	var head [5]byte
	_, err := io.ReadFull(body, head[:])
	require.NoError(t, err)
	frame := make([]byte, binary.BigEndian.Uint32(head[1:]))
	_, err = io.ReadFull(body, frame)
	require.NoError(t, err)
	var end struct {
		Error answer `json:"error"`
	}
	if head[0]&2 != 0 {
		require.NoError(t, json.Unmarshal(frame, &end))
	}
	return end.Error
}
