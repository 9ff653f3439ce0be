package cli_test

import (
	"encoding/json"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

func TestRefusalsEndWithTheirExitCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code   connect.Code
		reason faultv1.Reason
		want   int
	}{
		{connect.CodeNotFound, faultv1.Reason_REASON_NOT_FOUND, 3},
		{connect.CodeUnauthenticated, faultv1.Reason_REASON_UNAUTHENTICATED, 4},
		{connect.CodeFailedPrecondition, faultv1.Reason_REASON_EMAIL_NOT_VERIFIED, 4},
		{connect.CodePermissionDenied, faultv1.Reason_REASON_PERMISSION_DENIED, 5},
		{connect.CodeResourceExhausted, faultv1.Reason_REASON_QUOTA_EXCEEDED, 5},
		{connect.CodeResourceExhausted, faultv1.Reason_REASON_RATE_LIMITED, 75},
		{connect.CodeAlreadyExists, faultv1.Reason_REASON_ALREADY_EXISTS, 6},
		{connect.CodeFailedPrecondition, faultv1.Reason_REASON_RUN_TERMINAL, 6},
		{connect.CodeAborted, faultv1.Reason_REASON_CONFLICT, 6},
		{connect.CodeInvalidArgument, faultv1.Reason_REASON_PARAM_INVALID, 65},
		{connect.CodeInvalidArgument, faultv1.Reason_REASON_INVALID_ARGUMENT, 65},
		{connect.CodeUnavailable, faultv1.Reason_REASON_UNAVAILABLE, 75},
		{connect.CodeUnavailable, faultv1.Reason_REASON_NO_AGENT_ONLINE, 75},
		{connect.CodeFailedPrecondition, faultv1.Reason_REASON_DATA_GONE, 3},
		{connect.CodeInternal, faultv1.Reason_REASON_INTERNAL, 1},
	} {
		t.Run(c.reason.String(), func(t *testing.T) {
			t.Parallel()
			d := setup(t)
			d.fake.fail["ListPools"] = refusal(c.code, c.reason, "no")
			r := d.run("pool", "list")
			require.Equal(t, c.want, r.code)
			require.Contains(t, r.err, "error: no\n")
			require.Empty(t, r.out)

			r = d.run("pool", "list", "--json")
			require.Equal(t, c.want, r.code)
			var e map[string]any
			require.NoError(t, json.Unmarshal([]byte(r.err), &e))
			require.Equal(t, c.code.String(), e["code"])
			require.Equal(t, "REASON_"+e["reason"].(string), c.reason.String())
		})
	}
}

func TestAServerThatIsNotThereIsForLater(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.address = "127.0.0.1:1"
	r := d.run("pool", "list")
	require.Equal(t, 75, r.code)
	require.Contains(t, r.err, "cannot reach the server: dial tcp 127.0.0.1:1")
	require.Contains(t, r.err, "signalbox dev")
}

func TestARefusalWithoutAReasonIsToldToo(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.fail["ListPools"] = connect.NewError(connect.CodePermissionDenied, nil)
	r := d.run("pool", "list")
	require.Equal(t, 5, r.code)
	require.Contains(t, r.err, "error: ")
}

// The service speaks of headers; people set flags.
func TestAMissingPlaceIsToldInFlags(t *testing.T) {
	t.Parallel()
	for header, flag := range map[string]string{"Signalbox-Workspace": "--workspace", "Signalbox-Organization": "--org"} {
		d := setup(t)
		text := "name it in the header " + header
		d.fake.fail["ListPools"] = refusal(connect.CodeInvalidArgument, faultv1.Reason_REASON_INVALID_ARGUMENT, text,
			&faultv1.Violation{Path: header, Text: text})
		r := d.run("pool", "list")
		require.Equal(t, 2, r.code)
		require.Contains(t, r.err, flag)
		require.NotContains(t, r.err, "header")
	}
}

// Who may enter one workspace only need not say which.
func TestTheOnlyPlaceNeedNotBeNamed(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.who = member("acme/main")
	d.fake.placed = true
	d.env["SIGNALBOX_SERVER"], d.env["SIGNALBOX_TOKEN"], d.env["HOME"] = serverURL, token, t.TempDir()
	r := d.run("pool", "list")
	require.Zero(t, r.code, r.err)
	calls := d.fake.called("ListPools")
	require.Equal(t, "acme/main", calls[1].header.Get("Signalbox-Organization")+"/"+calls[1].header.Get("Signalbox-Workspace"))

	d.fake.who = member("acme/main", "beta/dev")
	r = d.run("pool", "list")
	require.Equal(t, 2, r.code)
	require.Contains(t, r.err, "--workspace")
	require.Zero(t, d.run("pool", "list", "--org", "beta").code)
}

func TestAMissingTaskIsLookedForInItsRun(t *testing.T) {
	t.Parallel()
	d := setup(t)
	r := d.run("task", "get", "@latest", "nothing")
	require.Equal(t, 3, r.code)
	require.Contains(t, r.err, "`signalbox task list RUN` lists the run's tasks")
	require.NotContains(t, r.err, "workspace")
}

func TestTheStatesAreListedWhereOneIsRefused(t *testing.T) {
	t.Parallel()
	d := setup(t)
	text := `states must be states of runs, which "bogus" is not`
	d.fake.fail["ListRuns"] = refusal(connect.CodeInvalidArgument, faultv1.Reason_REASON_INVALID_ARGUMENT, text,
		&faultv1.Violation{Path: "states", Text: text})
	r := d.run("run", "list", "--state", "bogus")
	require.Equal(t, 65, r.code)
	for _, state := range engine.RunStates() {
		require.Contains(t, r.err, state.String())
	}
}

func TestCancelOfWhatHasSucceededDoesNotHintAtRetry(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.fail["CancelRun"] = refusal(connect.CodeFailedPrecondition, faultv1.Reason_REASON_RUN_TERMINAL, "the run is succeeded")
	r := d.run("cancel", run12)
	require.Equal(t, 6, r.code)
	require.Contains(t, r.err, "hint: it has ended and stays as it is")
	require.NotContains(t, r.err, "retry")
}
