package e2e_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1/agentv1connect"
	authzv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/authz/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1/pipelinev1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1/poolv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1/relayv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/schedule/v1/schedulev1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/tenancy/v1/tenancyv1connect"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1/usagev1connect"
	"github.com/signalboxhq/signalbox/tenancy/authz"
)

// rpcs are all methods of the services for people and keys, from the
// descriptors: a method that somebody adds is in the matrix by itself.
func rpcs(t *testing.T) []protoreflect.MethodDescriptor {
	t.Helper()
	var out []protoreflect.MethodDescriptor
	for _, name := range []string{
		tenancyv1connect.AccountServiceName, tenancyv1connect.OrganizationServiceName, tenancyv1connect.MemberServiceName,
		tenancyv1connect.KeyServiceName, tenancyv1connect.AuditServiceName, pipelinev1connect.PipelineServiceName,
		runv1connect.RunServiceName, runv1connect.HistoryServiceName, poolv1connect.PoolServiceName, usagev1connect.UsageServiceName, relayv1connect.RelayServiceName,
		schedulev1connect.ScheduleServiceName,
	} {
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		require.NoError(t, err)
		methods := d.(protoreflect.ServiceDescriptor).Methods()
		for i := range methods.Len() {
			out = append(out, methods.Get(i))
		}
	}
	// SignOut ends the caller's own token: it comes last.
	slices.SortStableFunc(out, func(a, b protoreflect.MethodDescriptor) int {
		return cmp.Compare(strings.Count(string(a.Name()), "SignOut"), strings.Count(string(b.Name()), "SignOut"))
	})
	return out
}

func ruleOf(m protoreflect.MethodDescriptor) *authzv1.Rule {
	return proto.GetExtension(m.Options(), authzv1.E_Rule).(*authzv1.Rule)
}

// caller is one row of the matrix: a credential, and what it may do.
type caller struct {
	name  string
	token string
	// rights by scope; nil for one whom nothing lets in.
	organization, workspace map[string]bool
	known                   bool
}

// expect is the answer that the rules demand for an own place: "" lets the call
// through to its handler.
func (c caller) expect(m protoreflect.MethodDescriptor) string {
	rule := ruleOf(m)
	if rule.GetPublic() {
		return ""
	}
	if !c.known {
		return "unauthenticated"
	}
	if m.Name() == "CreatePersonalToken" {
		return "permission_denied" // a token makes no tokens: it takes a password
	}
	held := c.organization
	switch rule.GetScope() {
	case authzv1.Scope_SCOPE_USER:
		return ""
	case authzv1.Scope_SCOPE_WORKSPACE:
		if held = c.workspace; len(held) == 0 {
			return "not_found" // hidden
		}
	case authzv1.Scope_SCOPE_ORGANIZATION, authzv1.Scope_SCOPE_AGENT, authzv1.Scope_SCOPE_UNSPECIFIED:
	}
	if !held[rule.GetPermission()] {
		return "permission_denied"
	}
	return ""
}

func permissions(p authz.Principal, s authz.Scope) map[string]bool {
	out := map[string]bool{}
	for _, x := range authz.Permissions() {
		if authz.Allowed(p, x, s) {
			out[string(x)] = true
		}
	}
	return out
}

func TestMatrixOfEveryRPCAndEveryRole(t *testing.T) {
	t.Parallel()
	twice(t, matrix)
}

func matrix(s *stack) {
	t := s.t
	own, foreign := s.signUp("alice"), s.signUp("mallory")
	mine, theirs := own.things("own"), foreign.things("foreign")
	missing := missingThings()
	callers := own.callers()

	for _, m := range rpcs(t) { // one after the other: the rows share an installation, and change it
		rule := ruleOf(m)
		for _, c := range callers {
			want := c.expect(m)
			t.Run(fmt.Sprintf("%s/%s", m.FullName(), c.name), func(t *testing.T) {
				here := place{own.org, own.org + "/" + own.workspace}
				got := s.call(t, m, c.token, here, mine.message(m, c.name))
				if want != "" {
					require.Equal(t, want, got.Code, got.Message)
				} else if m.Name() != "SignIn" { // which refuses a password that is wrong
					require.NotContains(t, []string{"unauthenticated", "permission_denied", "unimplemented", "internal", "unknown"}, got.Code, got.Message)
				}
				if rule.GetPublic() || rule.GetScope() == authzv1.Scope_SCOPE_USER {
					return
				}
				// Another organization is not there, whoever asks.
				there := s.call(t, m, c.token, place{foreign.org, foreign.org + "/" + foreign.workspace}, theirs.message(m, c.name))
				nowhere := s.call(t, m, c.token, place{"no-such-org", "no-such-org/default"}, missing.message(m, c.name))
				require.Equal(t, nowhere.masked(missing, "no-such-org"), there.masked(theirs, foreign.org), "a foreign place looks like a missing one")
				require.NotEmpty(t, there.Code, "a foreign place was entered")
				// Nor are another organization's things, in one's own place.
				if mine.names(m) {
					theirThing := s.call(t, m, c.token, here, theirs.message(m, c.name))
					noThing := s.call(t, m, c.token, here, missing.message(m, c.name))
					require.Equal(t, noThing.masked(missing, ""), theirThing.masked(theirs, ""), "a foreign thing looks like a missing one")
				}
			})
		}
	}
}

// callers makes a user of every role, keys, an agent's stranger and nobody.
func (tn *tenant) callers() []caller {
	tn.t.Helper()
	out := []caller{{name: "anonymous"}, {name: "forged", token: "sbk_" + strings.Repeat("0", 36)}}
	principal := func(org authz.OrgRole, ws authz.WorkspaceRole) (map[string]bool, map[string]bool) {
		p := ownPrincipal(org, ws)
		return permissions(p, authz.ScopeOrganization), permissions(p, authz.ScopeWorkspace)
	}
	o, w := principal(authz.OrgOwner, "")
	out = append(out, caller{"owner", tn.token, o, w, true})
	for _, role := range []authz.OrgRole{authz.OrgAdmin, authz.OrgBilling, authz.OrgMember} {
		o, w := principal(role, "")
		out = append(out, caller{string(role), tn.invite(string(role), string(role), ""), o, w, true})
	}
	for _, role := range authz.WorkspaceRoles() {
		o, w := principal(authz.OrgMember, role)
		out = append(out, caller{"ws-" + string(role), tn.invite("ws-"+string(role), "member", string(role)), o, w, true})
	}
	out = append(out, caller{name: "revoked key", token: tn.revokedKey()})
	return out
}

// things are what requests name.
type things struct {
	run, pipeline, digest, pool, agent, user, workspace, key, invitation, session, schedule string
}

func missingThings() things {
	return things{
		run: "run_01k94g5r7vfzzvzzzzzzzzzzzz", pipeline: "no-such", digest: strings.Repeat("ab", 32), pool: "no-such",
		agent: "agt_01k94g5r7vfzzvzzzzzzzzzzzz", user: "usr_01k94g5r7vfzzvzzzzzzzzzzzz", workspace: "ws_01k94g5r7vfzzvzzzzzzzzzzzz",
		key: "key_01k94g5r7vfzzvzzzzzzzzzzzz", invitation: "inv_01k94g5r7vfzzvzzzzzzzzzzzz", session: "ses_01k94g5r7vfzzvzzzzzzzzzzzz",
		schedule: "no-such",
	}
}

// identifiers maps the fields of requests that name a thing to it.
func (x things) identifiers(m protoreflect.MethodDescriptor) map[string]string {
	out := map[string]string{
		"run_id": x.run, "pipeline": x.pipeline, "pool": x.pool, "user_id": x.user, "workspace_id": x.workspace, "digest": x.digest,
	}
	switch string(m.FullName()) {
	case "signalbox.tenancy.v1.KeyService.RevokeKey":
		out["id"] = x.key
	case "signalbox.tenancy.v1.MemberService.RevokeInvitation":
		out["id"] = x.invitation
	case "signalbox.tenancy.v1.AccountService.RevokeSession":
		out["id"] = x.session
	case "signalbox.pool.v1.PoolService.RevokeAgent":
		out["id"] = x.agent
	case "signalbox.pool.v1.PoolService.GetPool", "signalbox.pool.v1.PoolService.UpdatePool":
		out["name"] = x.pool
	case "signalbox.schedule.v1.ScheduleService.GetSchedule", "signalbox.schedule.v1.ScheduleService.PauseSchedule",
		"signalbox.schedule.v1.ScheduleService.ResumeSchedule", "signalbox.schedule.v1.ScheduleService.DeleteSchedule":
		out["name"] = x.schedule
	case "signalbox.pipeline.v1.PipelineService.GetPipeline":
		out["name"] = x.pipeline
	default:
		out["id"] = x.run
	}
	return out
}

// names reports whether a request of the method names a thing by an id or name
// whose absence is an error.
func (x things) names(m protoreflect.MethodDescriptor) bool {
	switch string(m.FullName()) {
	case "signalbox.schedule.v1.ScheduleService.ListSchedules", "signalbox.run.v1.RunService.ListRuns", "signalbox.pool.v1.PoolService.ListAgents", "signalbox.tenancy.v1.MemberService.InviteMember":
		return false // filters, or checked after the mail's address
	}
	fields := m.Input().Fields()
	for name := range x.identifiers(m) {
		if fields.ByName(protoreflect.Name(name)) != nil {
			return true
		}
	}
	return false
}

// message is a request of the method about these things, as JSON.
func (x things) message(m protoreflect.MethodDescriptor, unique string) map[string]any {
	out := map[string]any{}
	ids := x.identifiers(m)
	fields := m.Input().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		name := string(f.Name())
		if v, ok := ids[name]; ok {
			out[f.JSONName()] = v
			continue
		}
		switch name {
		case "kind":
			out[f.JSONName()] = "DATA_KIND_LOGS"
		case "public_key":
			out[f.JSONName()] = make([]byte, 32)
		case "source":
			out[f.JSONName()] = []byte("signalbox: v1\nname: matrix\ntasks:\n  a:\n    run: 'true'\n")
		case "name":
			out[f.JSONName()] = "m-" + strings.ReplaceAll(unique, " ", "-")
		case "role":
			out[f.JSONName()] = "member"
			if m.Name() == "SetWorkspaceRole" || m.Name() == "CreateKey" {
				out[f.JSONName()] = "viewer"
			}
		}
	}
	return out
}

// place is where a call says it is.
type place struct{ organization, workspace string }

func (p place) set(h http.Header) {
	h.Set("Signalbox-Organization", p.organization)
	h.Set("Signalbox-Workspace", p.workspace)
}

// things makes one of each.
func (tn *tenant) things(name string) things {
	tn.t.Helper()
	tn.agent(name, 1)
	tn.apply(fmt.Sprintf("signalbox: v1\nname: p-%s\ntasks:\n  a:\n    run: 'true'\n", name))
	run := tn.start("p-" + name)
	tn.finished(run, 30*time.Second)
	return tn.collect(name, run)
}

// The agents' own service opens to no person and no key, whatever their role.
func TestNobodyPassesForAnAgent(t *testing.T) {
	t.Parallel()
	twice(t, strangers)
}

func strangers(s *stack) {
	t := s.t
	tn := s.signUp("eve")
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(agentv1connect.AgentServiceName)
	require.NoError(t, err)
	methods := d.(protoreflect.ServiceDescriptor).Methods()
	for i := range methods.Len() {
		m := methods.Get(i)
		if ruleOf(m).GetPublic() {
			continue
		}
		for _, token := range []string{"", tn.token} {
			got := s.call(t, m, token, place{tn.org, tn.org + "/" + tn.workspace}, map[string]any{})
			require.Equal(t, "unauthenticated", got.Code, "%s: %s", m.Name(), got.Message)
		}
	}
}
