package caller_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

func TestNobodyAsksByDefault(t *testing.T) {
	t.Parallel()
	c := caller.From(t.Context())
	require.True(t, c.Anonymous())
	require.False(t, c.Person())
	require.Empty(t, c.Label())
	require.Equal(t, audit.ActorSystem, c.Event("a.b", "").Actor.Type)
}

func TestCallerTravelsInTheContext(t *testing.T) {
	t.Parallel()
	want := caller.Caller{Principal: authz.Principal{Kind: authz.KindUser, UserID: id.UUID{1}}, IP: "192.0.2.1"}
	require.Equal(t, want, caller.From(caller.With(t.Context(), want)))
	require.True(t, want.Person())
}

func TestEventTellsWhoAndHow(t *testing.T) {
	t.Parallel()
	u := id.UUID{1}
	for name, c := range map[string]struct {
		principal authz.Principal
		actor     audit.Actor
		label     string
	}{
		"session": {
			authz.Principal{Kind: authz.KindUser, UserID: u, Email: "ada@example.com", SessionID: u},
			audit.Actor{Type: audit.ActorUser, ID: u, Via: "session:" + u.String()},
			"ada@example.com",
		},
		"personal token": {
			authz.Principal{Kind: authz.KindUser, UserID: u, Email: "ada@example.com", KeyID: u},
			audit.Actor{Type: audit.ActorUser, ID: u, Via: "key:" + id.Format(id.Key, u)},
			"ada@example.com",
		},
		"service account": {
			authz.Principal{Kind: authz.KindServiceAccount, KeyID: u, KeyName: "ci"},
			audit.Actor{Type: audit.ActorServiceAccount, ID: u, Via: "key:" + id.Format(id.Key, u)},
			"ci",
		},
		"agent": {
			authz.Principal{Kind: authz.KindAgent, AgentID: u},
			audit.Actor{Type: audit.ActorAgent, ID: u},
			id.Format(id.Agent, u),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.principal.OrgID = id.UUID{9}
			event := caller.Caller{Principal: c.principal, IP: "192.0.2.1", UserAgent: "ua", RequestID: "r"}.Event("key.create", "key_1")
			require.Equal(t, audit.Event{
				OrgID: id.UUID{9}, Actor: c.actor, Action: "key.create", Resource: "key_1", RequestID: "r",
				Outcome:  audit.OutcomeDone,
				Personal: audit.Personal{ActorName: c.label, IP: "192.0.2.1", UserAgent: "ua"},
			}, event)
		})
	}
}
