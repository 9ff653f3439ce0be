package runapi_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// member is another person of the organization.
func (b *bundle) member(name string, role authz.WorkspaceRole) context.Context {
	b.t.Helper()
	c := b.by
	c.UserID, c.Email, c.OrgRole, c.WorkspaceRole = id.New(), strings.ToLower(name)+"@example.com", authz.OrgMember, role
	args := pgx.NamedArgs{"org": c.OrgID, "user": c.UserID, "m": id.New(), "email": c.Email, "name": name}
	b.exec(`INSERT INTO membership (org_id, id, user_id, role, created_at) VALUES (@org, @m, @user, 'member', now())`, args)
	_, err := b.db.Auth.Exec(b.t.Context(), `INSERT INTO users (id, email, email_key, name, verified_at) VALUES (@user, @email, @email, @name, now())`, args)
	require.NoError(b.t, err)
	return caller.With(b.t.Context(), c)
}

func (b *bundle) decide(ctx context.Context, run, task string, reject bool) error {
	b.t.Helper()
	_, err := b.h.Approvals().DecideApproval(ctx, &runv1.DecideApprovalRequest{RunId: run, Task: task, Reject: reject, Comment: "because"})
	return err
}

func (b *bundle) inbox(ctx context.Context) []*runv1.Approval {
	b.t.Helper()
	res, err := b.h.Approvals().ListApprovals(ctx, &runv1.ListApprovalsRequest{})
	require.NoError(b.t, err)
	require.Empty(b.t, res.GetNextPageToken())
	return res.GetApprovals()
}

func gate(a plan.Approve) *plan.Plan {
	return &plan.Plan{Name: "gated", Tasks: []plan.Task{{Name: "sign-off", Approve: &a}, {Name: "deploy", Needs: []int{0}}}}
}

func TestFourEyesOpenAGate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(gate(plan.Approve{Required: 2, NotRequester: true}))
	run := b.start("gated").GetId()
	ann, bob := b.member("Ann", authz.WorkspaceOperator), b.member("Bob", authz.WorkspaceAdmin)
	err := b.decide(b.ctx(), run, "sign-off", false)
	require.Equal(t, fault.Reason("FOUR_EYES"), fault.ReasonOf(err))
	require.Equal(t, fault.KindPermissionDenied, fault.KindOf(err))
	require.Equal(t, "FOUR_EYES", b.inbox(b.ctx())[0].GetDenied())

	open := b.inbox(ann)[0]
	require.Equal(t, []any{run, "gated", int64(1), "sign-off", "Mara", uint32(2), uint32(0), ""},
		[]any{open.GetRunId(), open.GetPipeline(), open.GetNumber(), open.GetTask(), open.GetRequester(), open.GetRequired(), open.GetApproved(), open.GetDenied()})
	require.NoError(t, b.decide(ann, run, "sign-off", false))
	_, tasks := b.get(run)
	require.Equal(t, "held", tasks["sign-off"].GetState())
	h := tasks["sign-off"].GetHold()
	require.Equal(t, []any{"approval", uint32(2), true, "Ann", "because"},
		[]any{h.GetKind(), h.GetRequired(), h.GetNotRequester(), h.GetVotes()[0].GetActor(), h.GetVotes()[0].GetComment()})
	require.NoError(t, b.decide(bob, "@latest", "sign-off", false))
	_, tasks = b.get(run)
	require.Equal(t, "succeeded", tasks["sign-off"].GetState())
	require.Equal(t, "approved by Ann, Bob", tasks["sign-off"].GetReason())
	require.Equal(t, "ready", tasks["deploy"].GetState())
	require.Empty(t, b.inbox(ann))
	require.Equal(t, []string{"approval.approve", "approval.approve"},
		queryOne[[]string](b, `SELECT array_agg(action) FROM audit_entry WHERE org_id = @org`, pgx.NamedArgs{"org": b.by.OrgID}))
	require.Equal(t, fault.Reason("APPROVAL_CLOSED"), fault.ReasonOf(b.decide(b.member("Eve", authz.WorkspaceAdmin), run, "sign-off", false)))
}

func TestARejectionIsNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(gate(plan.Approve{}))
	run := b.start("gated").GetId()
	require.NoError(t, b.decide(b.ctx(), run, "sign-off", true))
	r, tasks := b.get(run)
	require.Equal(t, "failed", r.GetState())
	require.Equal(t, "sign-off rejected by Mara", r.GetReason())
	require.Equal(t, "rejected by Mara", tasks["sign-off"].GetReason())
	require.True(t, tasks["sign-off"].GetHold().GetVotes()[0].GetRejected())
}

// A message in which nothing is to be evaluated needs no agent, and whoever looks
// reads it.
func TestAnApprovalWithPlainTextOpensAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(gate(plan.Approve{Text: "Is the corpus good?"}))
	run := b.start("gated").GetId()
	_, tasks := b.get(run)
	require.Equal(t, "held", tasks["sign-off"].GetState())
	require.Equal(t, "Is the corpus good?", tasks["sign-off"].GetHold().GetMessage())
	require.Equal(t, `"Is the corpus good?"`, string(b.inbox(b.ctx())[0].GetMessage().GetOpenJson()))
	require.NoError(t, b.decide(b.ctx(), run, "sign-off", false))
}

// What an agent made of a message is with the run's values and in the inbox,
// sealed as it came, and stays with the values when the vote is over.
func TestASealedMessageIsHandedToThoseWhoRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "gated", Pool: "default", Tasks: []plan.Task{
		{Name: "train"},
		{Name: "sign-off", Needs: []int{0}, Approve: &plan.Approve{Message: "Promote ${{ params.auc }}?"}},
		{Name: "deploy", Needs: []int{1}},
	}})
	w := b.worker("one")
	run := b.start("gated").GetId()
	left, err := proto.Marshal(&runv1.Body{Outputs: []*runv1.Value{{Name: "auc", Type: "float", Content: &runv1.Value_OpenJson{OpenJson: []byte("1")}}}})
	require.NoError(t, err)
	w.end(w.poll(8).Leases[0], engine.OutcomeSucceeded, 0, left)
	require.Empty(t, b.inbox(b.ctx()), "it waits for its message")
	sealed := &runv1.Value{Name: "message", Type: "string", Content: &runv1.Value_Sealed{Sealed: []byte("an envelope")}, Size: 12}
	body, err := proto.Marshal(&runv1.Body{Decided: []*runv1.Value{sealed}})
	require.NoError(t, err)
	w.answer(w.poll(8).Leases[0], body)

	require.True(t, proto.Equal(sealed, b.inbox(b.ctx())[0].GetMessage()), b.inbox(b.ctx()))
	messages := func(task string) (out []string) {
		res, err := b.h.GetRunValues(b.ctx(), &runv1.GetRunValuesRequest{Id: run, Task: task})
		require.NoError(t, err)
		for _, x := range res.GetTasks() {
			if x.GetMessage() != nil {
				require.True(t, proto.Equal(sealed, x.GetMessage()))
				out = append(out, x.GetTask())
			}
		}
		return out
	}
	require.Equal(t, []string{"sign-off"}, messages(""))
	require.Equal(t, []string{"sign-off"}, messages("sign-off"))
	require.Empty(t, messages("train"))
	require.NoError(t, b.decide(b.ctx(), run, "sign-off", false))
	require.Equal(t, []string{"sign-off"}, messages(""))
}

func TestOnlyThoseWhoAreNamedVote(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(gate(plan.Approve{By: []string{"role:admin", "user:ann@example.com"}}))
	run := b.start("gated").GetId()
	ann, bob := b.member("ann", authz.WorkspaceOperator), b.member("bob", authz.WorkspaceDeveloper)
	require.Equal(t, fault.Reason("NOT_AN_APPROVER"), fault.ReasonOf(b.decide(bob, run, "sign-off", false)))
	require.Equal(t, "NOT_AN_APPROVER", b.inbox(bob)[0].GetDenied())
	require.Equal(t, []string{"role:admin", "user:ann@example.com"}, b.inbox(bob)[0].GetBy())
	require.Equal(t, "PERMISSION_DENIED", b.inbox(b.member("vic", authz.WorkspaceViewer))[0].GetDenied())
	require.Empty(t, b.inbox(ann)[0].GetDenied())

	require.Empty(t, b.inbox(b.tenant("globex")), "another organization's")
	require.Empty(t, b.inbox(b.neighbour()), "another workspace's")
	require.Equal(t, fault.KindNotFound, fault.KindOf(b.decide(b.tenant("initech"), run, "sign-off", false)))
	require.Equal(t, fault.KindNotFound, fault.KindOf(b.decide(ann, run, "nothing", false)))
	require.Equal(t, fault.Reason("NOT_AN_APPROVAL"), fault.ReasonOf(b.decide(ann, run, "deploy", false)))
	_, err := b.h.Approvals().DecideApproval(ann, &runv1.DecideApprovalRequest{RunId: run, Task: "sign-off", Comment: strings.Repeat("x", 1001)})
	require.Equal(t, rundb.ReasonInvalid, fault.ReasonOf(err))
	require.NoError(t, b.decide(ann, run, "sign-off", false))
}

func TestTheInboxHasPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(gate(plan.Approve{}))
	var want, got []string
	for range 5 {
		want = append(want, b.start("gated").GetId())
	}
	req := &runv1.ListApprovalsRequest{PageSize: 2}
	for {
		res, err := b.h.Approvals().ListApprovals(b.ctx(), req)
		require.NoError(t, err)
		for _, a := range res.GetApprovals() {
			got = append(got, a.GetRunId())
		}
		if req.PageToken = res.GetNextPageToken(); req.GetPageToken() == "" {
			break
		}
		require.Len(t, res.GetApprovals(), 2)
	}
	require.Equal(t, want, got, "the longest waiting first")
	_, err := b.h.Approvals().ListApprovals(b.ctx(), &runv1.ListApprovalsRequest{PageToken: "?"})
	require.Equal(t, rundb.ReasonInvalid, fault.ReasonOf(err))
}
