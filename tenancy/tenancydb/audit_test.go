package tenancydb_test

import (
	"crypto/rand"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// append writes an entry the way other domains do.
func (b *bundle) append(tn tenant, action string) error {
	return pg.InTenant(b.t.Context(), b.db.API, tn.org.OrgID, func(tx pgx.Tx) error {
		event := tn.owner.Event(action, "")
		event.At = b.clock.Now()
		_, err := tenancydb.AppendAudit(b.t.Context(), tx, event, rand.Reader)
		return err
	})
}

func TestAdministrationIsWrittenDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	_, user := b.member(tn, "bob@example.com", authz.OrgMember, authz.WorkspaceViewer)
	key, _, err := b.store.CreateKey(t.Context(), tn.owner, tenancydb.NewKey{Name: "ci", Role: "admin"})
	require.NoError(t, err)
	require.NoError(t, b.store.RevokeKey(t.Context(), tn.owner, key.ID))
	_, err = b.store.SetMemberRole(t.Context(), tn.owner, user, authz.OrgAdmin)
	require.NoError(t, err)
	require.NoError(t, b.store.RemoveMember(t.Context(), tn.owner, user))

	entries, err := b.store.ListAudit(t.Context(), tn.owner, 0, 0)
	require.NoError(t, err)
	var actions []string
	for _, e := range entries {
		actions = append(actions, e.Action)
	}
	require.Equal(t, []string{
		"member.remove", "member.set_role", "key.revoke", "key.create", "member.join", "member.invite", "org.create",
	}, actions)
	role := entries[1]
	require.Equal(t, audit.Actor{Type: audit.ActorUser, ID: tn.owner.UserID, Via: "session:" + tn.owner.SessionID.String()}, role.Actor)
	require.Equal(t, audit.Personal{
		ActorName: "acme@example.com", IP: "192.0.2.7", UserAgent: "Firefox", Subject: "bob@example.com",
	}, role.Personal)
	require.Equal(t, id.Format(id.User, user), role.Resource)
	require.JSONEq(t, `{"from":"member","to":"admin"}`, role.Detail)
	require.Equal(t, "r1", role.RequestID)

	page, err := b.store.ListAudit(t.Context(), tn.owner, 3, 1)
	require.NoError(t, err)
	require.Len(t, page, 1)
	require.Equal(t, int64(2), page[0].Seq)

	v, err := b.store.VerifyAudit(t.Context(), tn.owner)
	require.NoError(t, err)
	require.Equal(t, tenancydb.Verification{Entries: 7, Head: entries[0].Hash}, v)
}

func TestChainHoldsUnderConcurrency(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() { require.NoError(t, b.append(tn, fmt.Sprintf("test.action%d", i))) })
	}
	group.Wait()
	v, err := b.store.VerifyAudit(t.Context(), tn.owner)
	require.NoError(t, err)
	require.Equal(t, int64(21), v.Entries)
	require.Zero(t, v.BrokenAt)
}

// TestTamperingShows works as a superuser who also gets past the trigger.
func TestTamperingShows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql    string
		broken int64
	}{
		"changed":        {`UPDATE audit_entry SET detail = '{}' WHERE seq = 2`, 2},
		"person changed": {`UPDATE audit_personal SET actor_name = 'eve@example.com' WHERE seq = 3`, 3},
		"removed":        {`DELETE FROM audit_entry WHERE seq = 2`, 2},
		"cut off":        {`DELETE FROM audit_entry WHERE seq = 4`, 4},
		"salt taken":     {`DELETE FROM audit_personal WHERE seq = 3`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			tn := b.tenant("acme")
			for range 3 {
				require.NoError(t, b.append(tn, "test.action"))
			}
			_, err := pgtest.Super(t, b.db.URL()).Exec(t.Context(), `SET session_replication_role = replica; `+c.sql)
			require.NoError(t, err)
			v, err := b.store.VerifyAudit(t.Context(), tn.owner)
			require.NoError(t, err)
			require.Equal(t, c.broken, v.BrokenAt, v.Why)
		})
	}
}

func TestAuditLogIsAppendOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	super := pgtest.Super(t, b.db.URL())
	for _, sql := range []string{
		`UPDATE audit_entry SET detail = ''`, `DELETE FROM audit_entry`, `TRUNCATE audit_entry`,
	} {
		_, err := super.Exec(t.Context(), sql)
		require.ErrorContains(t, err, "append-only", "even for a superuser: %s", sql)
		err = pg.InTenant(t.Context(), b.db.API, tn.org.OrgID, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), sql)
			return err
		})
		require.True(t, pg.Denied(err), sql)
	}
}

func TestDenialsAreOneAMinute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	deny := func(permission authz.Permission) {
		require.NoError(t, b.store.RecordDenial(t.Context(), tn.owner, permission))
	}
	count := func() int {
		entries, err := b.store.ListAudit(t.Context(), tn.owner, 0, 0)
		require.NoError(t, err)
		return len(entries)
	}
	before := count()
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() { deny(authz.PermKeysAdmin) })
	}
	group.Wait()
	require.Equal(t, before+1, count())
	deny(authz.PermBillingWrite)
	require.Equal(t, before+2, count())
	b.clock.advance(time.Minute)
	deny(authz.PermKeysAdmin)
	require.Equal(t, before+3, count())
	entries, err := b.store.ListAudit(t.Context(), tn.owner, 0, 1)
	require.NoError(t, err)
	require.Equal(t, "denied.keys.admin", entries[0].Action)
	require.Equal(t, audit.OutcomeDenied, entries[0].Outcome)
}

func TestBillingReadsWhatIsAboutMoney(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tn := b.tenant("acme")
	cookie, _ := b.member(tn, "pay@example.com", authz.OrgBilling, "")
	require.NoError(t, b.append(tn, "billing.set_plan"))
	require.NoError(t, b.append(tn, "billings.not_it"))
	entries, err := b.store.ListAudit(t.Context(), b.as(cookie, "acme", ""), 0, 0)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, "billing.set_plan", entries[0].Action)
}

func TestLogsOfTwoTenantsAreApart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, umbrella := b.tenant("acme"), b.tenant("umbrella")
	require.NoError(t, b.append(acme, "test.action"))
	entries, err := b.store.ListAudit(t.Context(), umbrella.owner, 0, 0)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	err = pg.InTenant(t.Context(), b.db.API, umbrella.org.OrgID, func(tx pgx.Tx) error {
		event := acme.owner.Event("test.action", "")
		event.At = b.clock.Now()
		_, err := tenancydb.AppendAudit(t.Context(), tx, event, rand.Reader)
		return err
	})
	require.Error(t, err, "nobody writes into another one's log")
	v, err := b.store.VerifyAudit(t.Context(), acme.owner)
	require.NoError(t, err)
	require.Equal(t, int64(2), v.Entries)
}
