package audit_test

import (
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
)

var salt = []byte("sixteen bytes of")

func event(action string) audit.Event {
	return audit.Event{
		At:          time.Date(2026, 11, 3, 10, 0, 0, 123456789, time.FixedZone("CET", 3600)),
		OrgID:       id.UUID{1},
		WorkspaceID: id.UUID{2},
		Actor:       audit.Actor{Type: audit.ActorUser, ID: id.UUID{3}, Via: "session:x"},
		Action:      action,
		Resource:    "mem_1",
		RequestID:   "r1",
		Outcome:     audit.OutcomeDone,
		Detail:      `{"role":"admin"}`,
		Before:      []byte{1},
		After:       []byte{2},
		Personal:    audit.Personal{ActorName: "ada@example.com", IP: "192.0.2.1", UserAgent: "curl", Subject: "bob@example.com"},
	}
}

func chain(actions ...string) []audit.Entry {
	var entries []audit.Entry
	var head audit.Head
	for _, a := range actions {
		e := audit.Append(head, event(a), salt)
		entries, head = append(entries, e), e.Head()
	}
	return entries
}

func requireBroken(t require.TestingT, seq int64, entries []audit.Entry) {
	_, err := audit.Verify(audit.Head{}, entries)
	var broken *audit.BrokenError
	require.ErrorAs(t, err, &broken)
	require.Equal(t, seq, broken.Seq)
}

func TestChainHolds(t *testing.T) {
	t.Parallel()
	entries := chain("org.create", "member.invite", "key.create")
	head, err := audit.Verify(audit.Head{}, entries)
	require.NoError(t, err)
	require.Equal(t, entries[2].Head(), head)

	head, err = audit.Verify(entries[0].Head(), entries[1:])
	require.NoError(t, err)
	require.Equal(t, int64(3), head.Seq)

	head, err = audit.Verify(head, nil)
	require.NoError(t, err)
	require.Equal(t, int64(3), head.Seq)
}

// TestHashIsStable pins the spelling of an entry: a log of years ago must still
// verify, with our program and with anybody's own. The hashes were computed by
// another program, in Python, from the documentation alone.
func TestHashIsStable(t *testing.T) {
	t.Parallel()
	entries := chain("org.create", "member.invite")
	require.Equal(t, "36b20c7fa42b5ac26725ed43b277f82ad560e3126566c0418190f55bfba97c71", hex.EncodeToString(entries[0].Hash))
	require.Equal(t, "24db9710745150967eb974fbf0afbb129881462a7cd8247838b2dfb168d2d255", hex.EncodeToString(entries[1].Hash))
}

func TestErasedPersonKeepsTheChain(t *testing.T) {
	t.Parallel()
	entries := chain("org.create", "member.invite", "key.create")
	entries[1] = entries[1].Erase()
	require.True(t, entries[1].Erased())
	text, err := json.Marshal(entries[1])
	require.NoError(t, err)
	require.NotContains(t, string(text), "example.com")
	_, err = audit.Verify(audit.Head{}, entries)
	require.NoError(t, err)

	entries[1].Personal.ActorName = "mallory@example.com"
	requireBroken(t, 2, entries)
}

func TestEveryChangedFieldShows(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*audit.Entry){
		"at":         func(e *audit.Entry) { e.At = e.At.Add(time.Microsecond) },
		"org":        func(e *audit.Entry) { e.OrgID[5] = 9 },
		"workspace":  func(e *audit.Entry) { e.WorkspaceID = id.Nil },
		"actor type": func(e *audit.Entry) { e.Actor.Type = audit.ActorStaff },
		"actor":      func(e *audit.Entry) { e.Actor.ID[5] = 9 },
		"via":        func(e *audit.Entry) { e.Actor.Via = "" },
		"action":     func(e *audit.Entry) { e.Action += "x" },
		"resource":   func(e *audit.Entry) { e.Resource = "mem_2" },
		"request":    func(e *audit.Entry) { e.RequestID = "r2" },
		"moved":      func(e *audit.Entry) { e.Resource, e.RequestID = "mem_", "1r1" },
		"outcome":    func(e *audit.Entry) { e.Outcome = audit.OutcomeDenied },
		"detail":     func(e *audit.Entry) { e.Detail = "" },
		"before":     func(e *audit.Entry) { e.Before, e.After = nil, []byte{1, 2} },
		"after":      func(e *audit.Entry) { e.After = nil },
		"name":       func(e *audit.Entry) { e.Personal.ActorName = "" },
		"ip":         func(e *audit.Entry) { e.Personal.IP = "192.0.2.2" },
		"agent":      func(e *audit.Entry) { e.Personal.UserAgent = "" },
		"subject":    func(e *audit.Entry) { e.Personal.Subject = "" },
		"salt":       func(e *audit.Entry) { e.Salt = []byte("another salt") },
		"commitment": func(e *audit.Entry) { e.Salt, e.Personal, e.Commitment = nil, audit.Personal{}, []byte{1} },
		"hash":       func(e *audit.Entry) { e.Hash = []byte{1} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entries := chain("org.create", "member.invite", "key.create")
			change(&entries[1])
			requireBroken(t, 2, entries)
		})
	}
}

func TestLineUpShows(t *testing.T) {
	t.Parallel()
	entries := chain("a.a", "b.b", "c.c", "d.d")
	requireBroken(t, 1, entries[1:])
	requireBroken(t, 3, append(entries[:2:2], entries[3]))
	requireBroken(t, 2, []audit.Entry{entries[0], entries[2], entries[1]})
	requireBroken(t, 2, []audit.Entry{entries[0], entries[0]})

	forged := chain("a.a", "x.x")
	requireBroken(t, 3, []audit.Entry{entries[0], forged[1], entries[2]})
}

func TestEntryTravelsAsJSON(t *testing.T) {
	t.Parallel()
	entries := chain("a.a", "b.b")
	text, err := json.Marshal(entries)
	require.NoError(t, err)
	var read []audit.Entry
	require.NoError(t, json.Unmarshal(text, &read))
	head, err := audit.Verify(audit.Head{}, read)
	require.NoError(t, err)
	require.Equal(t, entries[1].Hash, head.Hash)
}

func TestAnyChainHoldsAndAnyLossShows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		actions := rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,5}\.[a-z]{1,5}`), 2, 20).Draw(t, "actions")
		entries := chain(actions...)
		_, err := audit.Verify(audit.Head{}, entries)
		require.NoError(t, err)
		lost := rapid.IntRange(0, len(entries)-2).Draw(t, "lost")
		requireBroken(t, int64(lost+1), append(entries[:lost:lost], entries[lost+1:]...))
	})
}
