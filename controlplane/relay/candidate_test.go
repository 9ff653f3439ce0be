package relay_test

import (
	"errors"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/relay"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// refusal opens a stream that must be refused, and returns reason and text.
func (n *node) refusal(c caller.Caller, req *relayv1.OpenDataStreamRequest) (reason faultv1.Reason, text string) {
	n.t.Helper()
	_, err := n.tryRead(n.t.Context(), c, req)
	ce, ok := errors.AsType[*connect.Error](err)
	require.True(n.t, ok, "%v", err)
	require.Len(n.t, ce.Details(), 1)
	detail, err := ce.Details()[0].Value()
	require.NoError(n.t, err)
	d, ok := detail.(*faultv1.Detail)
	require.True(n.t, ok)
	require.Zero(n.t, n.requests(), "nothing was asked")
	return d.GetReason(), ce.Message()
}

func (b *bundle) values() *relayv1.OpenDataStreamRequest {
	return &relayv1.OpenDataStreamRequest{RunId: id.Format(id.Run, b.run), Kind: relayv1.DataKind_DATA_KIND_VALUES}
}

func TestForeignRunIsAMissingRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.worker()
	n := b.node(relay.Limits{})
	foreignOrg, foreignWorkspace, foreignRun := b.tenant("globex")
	missing := id.New()
	sibling := b.user()
	sibling.WorkspaceID = b.addWorkspace(b.org, "other")
	foreign := b.user()
	foreign.OrgID, foreign.WorkspaceID = foreignOrg, foreignWorkspace
	mixed := b.user()
	mixed.OrgID = foreignOrg
	nowhere := b.user()
	nowhere.WorkspaceID = id.Nil
	for name, c := range map[string]struct {
		caller caller.Caller
		run    id.UUID
	}{
		"missing":                    {b.user(), missing},
		"of another organization":    {b.user(), foreignRun},
		"asked by another":           {foreign, b.run},
		"asked by half of another":   {mixed, b.run},
		"of another workspace":       {sibling, b.run},
		"asked outside a workspace":  {nowhere, b.run},
		"of another, asked nowhere":  {nowhere, foreignRun},
		"missing, asked by a sister": {sibling, missing},
	} {
		for _, req := range []*relayv1.OpenDataStreamRequest{b.logsOf("train", 1), b.values()} {
			req.RunId = id.Format(id.Run, c.run)
			reason, text := n.refusal(c.caller, req)
			require.Equal(t, faultv1.Reason_REASON_NOT_FOUND, reason, name)
			require.Equal(t, `there is no run "`+req.GetRunId()+`"`, text, name)
		}
	}
}

func TestWhatIsAskedWronglyIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.worker()
	n := b.node(relay.Limits{})
	for name, c := range map[string]struct {
		change func(*relayv1.OpenDataStreamRequest)
		reason faultv1.Reason
		text   string
	}{
		"run":             {func(r *relayv1.OpenDataStreamRequest) { r.RunId = "latest" }, faultv1.Reason_REASON_NOT_FOUND, `there is no run "latest"`},
		"key":             {func(r *relayv1.OpenDataStreamRequest) { r.PublicKey = []byte{1} }, faultv1.Reason_REASON_INVALID_ARGUMENT, "32 bytes"},
		"kind":            {func(r *relayv1.OpenDataStreamRequest) { r.Kind = 0 }, faultv1.Reason_REASON_INVALID_ARGUMENT, "DATA_KIND_LOGS"},
		"later kind":      {func(r *relayv1.OpenDataStreamRequest) { r.Kind = 9 }, faultv1.Reason_REASON_INVALID_ARGUMENT, "DATA_KIND_LOGS"},
		"no task":         {func(r *relayv1.OpenDataStreamRequest) { r.Task = "" }, faultv1.Reason_REASON_INVALID_ARGUMENT, "task is missing"},
		"unknown task":    {func(r *relayv1.OpenDataStreamRequest) { r.Task, r.Attempt = "tain", 0 }, faultv1.Reason_REASON_NOT_FOUND, `no attempt of task "tain"`},
		"unknown attempt": {func(r *relayv1.OpenDataStreamRequest) { r.Attempt = 2 }, faultv1.Reason_REASON_NOT_FOUND, `no attempt 2 of task "train"`},
		"huge attempt":    {func(r *relayv1.OpenDataStreamRequest) { r.Attempt = 1 << 31 }, faultv1.Reason_REASON_NOT_FOUND, "no attempt 2147483648"},
	} {
		req := b.logsOf("train", 1)
		c.change(req)
		reason, text := n.refusal(b.user(), req)
		require.Equal(t, c.reason, reason, name)
		require.Contains(t, text, c.text, name)
	}
}

func TestLogsAreAskedOfWhoRanTheAttempt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := b.node(relay.Limits{})
	first, second, third := b.addAgent("first"), b.addAgent("second"), b.addAgent("third")
	for _, a := range []id.UUID{first, second, third} {
		b.connect(a, false)
	}
	b.endAttempt(first, "train", 1)
	b.endAttempt(third, "other", 3)
	b.lease(second, "train", 2)
	for attempt, want := range map[uint32]string{0: "second", 1: "first", 2: "second"} {
		require.Equal(t, want, n.read(t.Context(), b.logsOf("train", attempt)).opened.GetAgentName(), "attempt %d", attempt)
	}
	b.exec(`DELETE FROM lease`, nil)
	b.endAttempt(second, "train", 2)
	b.endAttempt(first, "train", 3)
	for attempt, want := range map[uint32]string{0: "first", 2: "second", 3: "first"} {
		require.Equal(t, want, n.read(t.Context(), b.logsOf("train", attempt)).opened.GetAgentName(), "attempt %d", attempt)
	}
}

func TestAgentThatCannotAnswerIsNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := b.node(relay.Limits{})
	agent := b.addAgent("gpu-7")
	b.endAttempt(agent, "train", 1)

	reason, text := n.refusal(b.user(), b.logsOf("train", 1))
	require.Equal(t, faultv1.Reason_REASON_NO_AGENT_ONLINE, reason)
	require.Equal(t, `the log is with the agent "gpu-7", which is offline`, text)

	session := b.connect(agent, false)
	n.read(t.Context(), b.logsOf("train", 1))
	b.exec(`DELETE FROM data_request`, nil)
	b.disconnect(session, "2026-10-01 12:00:30Z")
	b.disconnect(b.connect(agent, false), "2026-09-01 12:00:30Z")
	reason, text = n.refusal(b.user(), b.logsOf("train", 1))
	require.Equal(t, faultv1.Reason_REASON_NO_AGENT_ONLINE, reason)
	require.Equal(t, `the log is with the agent "gpu-7", which is offline; it was last seen at 2026-10-01 12:00:00 UTC`, text)

	b.connect(agent, false)
	b.exec(`UPDATE agent SET revoked_at = now()`, nil)
	reason, text = n.refusal(b.user(), b.logsOf("train", 1))
	require.Equal(t, faultv1.Reason_REASON_DATA_GONE, reason)
	require.Contains(t, text, `"gpu-7", which was revoked`)
}

func TestValuesAreOpenedByAnAgentThatCan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := b.node(relay.Limits{})
	refused := func(want string) {
		t.Helper()
		reason, text := n.refusal(b.user(), b.values())
		require.Equal(t, faultv1.Reason_REASON_NO_AGENT_ONLINE, reason)
		require.Contains(t, text, want)
	}
	opened := func(want string) {
		t.Helper()
		require.Equal(t, want, n.read(t.Context(), b.values()).opened.GetAgentName())
		b.exec(`DELETE FROM data_request`, nil)
	}
	refused("has no agent that could open its values")
	holder := b.addAgent("holder")
	refused(`"holder" was not seen yet`)
	session := b.connect(holder, false, kid)
	opened("holder")
	b.disconnect(session, "2026-10-01 12:00:30Z")
	refused(`none is online; "holder" was last seen at 2026-10-01 12:00:00 UTC`)
	b.connect(b.addAgent("without"), false, "ffffffffffffffff")
	refused("give it to \"without\" with `signalbox-agent key import`")
	b.connect(holder, true, "ffffffffffffffff", kid)
	opened("holder")
	b.connect(b.addAgent("steady"), false, kid)
	opened("steady")
	b.exec(`UPDATE agent SET revoked_at = now() WHERE name = 'steady'`, nil)
	opened("holder")
	b.exec(`UPDATE workspace SET sealing_kid = NULL, sealing_public = NULL`, nil)
	opened("without")
}
