package tenancydb_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/audit"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

func texts[T ~string](list []T) []string {
	var out []string
	for _, t := range list {
		out = append(out, string(t))
	}
	return out
}

// TestTablesKnowTheSameWords: what the code may write, the table's CHECK
// accepts, and nothing else.
func TestTablesKnowTheSameWords(t *testing.T) {
	t.Parallel()
	conn := pgtest.Super(t, pgtest.URL(t))
	for constraint, want := range map[string][]string{
		"organization_state_check":        texts(authz.OrgStates()),
		"membership_role_check":           texts(authz.OrgRoles()),
		"invitation_role_check":           texts(authz.OrgRoles()),
		"invitation_workspace_role_check": texts(authz.WorkspaceRoles()),
		"invitation_state_check":          texts(tenancydb.InvitationStates()),
		"workspace_grant_role_check":      texts(authz.WorkspaceRoles()),
		"api_key_org_role_check":          texts(authz.OrgRoles()),
		"api_key_workspace_role_check":    texts(authz.WorkspaceRoles()),
		"email_token_purpose_check":       texts(tenancydb.EmailPurposes()),
		"audit_entry_actor_type_check":    texts(audit.ActorTypes()),
		"audit_entry_outcome_check":       texts(audit.Outcomes()),
	} {
		var definition string
		err := conn.QueryRow(t.Context(), `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1`, constraint).Scan(&definition)
		require.NoError(t, err, constraint)
		var got []string
		for _, match := range regexp.MustCompile(`'([a-z_]+)'::text`).FindAllStringSubmatch(definition, -1) {
			got = append(got, match[1])
		}
		require.ElementsMatch(t, want, got, constraint)
	}
}

// TestEachRoleReadsItsPart: the login path's tables are out of reach for the
// role of requests, and a tenant sees its own members only.
func TestEachRoleReadsItsPart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme := b.tenant("acme")
	b.tenant("umbrella")
	denied := func(pool *pgxpool.Pool, sql string) {
		_, err := pool.Exec(t.Context(), sql)
		require.True(t, pg.Denied(err), "%s: %v", sql, err)
	}
	for _, table := range []string{"login_session", "personal_token", "email_token", "throttle"} {
		denied(b.db.API, "SELECT 1 FROM "+table)
		denied(b.db.API, "DELETE FROM "+table)
		denied(b.db.Engine, "SELECT * FROM "+table)
	}
	denied(b.db.API, `SELECT password_hash FROM users`)
	denied(b.db.Engine, `SELECT password_hash FROM users`)
	denied(b.db.API, `UPDATE users SET name = ''`)
	denied(b.db.API, `DELETE FROM organization`)
	for _, table := range []string{"organization", "workspace", "membership", "workspace_grant", "invitation"} {
		denied(b.db.Auth, "DELETE FROM "+table)
		denied(b.db.Auth, fmt.Sprintf("INSERT INTO %s (org_id) VALUES (NULL)", table))
	}
	denied(b.db.Auth, `UPDATE api_key SET revoked_at = NULL`)
	denied(b.db.Auth, `SELECT 1 FROM audit_entry`)

	err := pg.InTenantRead(t.Context(), b.db.API, acme.org.OrgID, func(tx pgx.Tx) error {
		rows, _ := tx.Query(t.Context(), `SELECT u.email FROM users u`)
		emails, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.Equal(t, []string{"acme@example.com"}, emails)
		return err
	})
	require.NoError(t, err)
}

// TestRowsOfAnotherTenantAreOutOfReach goes around all of our checks: a request
// of one organization, with row-level security alone in its way.
func TestRowsOfAnotherTenantAreOutOfReach(t *testing.T) {
	t.Parallel()
	b := setup(t)
	acme, umbrella := b.tenant("acme"), b.tenant("umbrella")
	_, _, err := b.store.CreateKey(t.Context(), umbrella.owner, tenancydb.NewKey{Name: "ci", Role: "admin"})
	require.NoError(t, err)
	_, _, err = b.store.InviteMember(t.Context(), umbrella.owner, tenancydb.Invite{Email: "x@example.com", Role: authz.OrgMember})
	require.NoError(t, err)
	tables := []string{
		"organization", "workspace", "membership", "workspace_grant", "invitation", "api_key", "audit_entry",
		"audit_personal", "audit_head",
	}
	for _, table := range tables {
		var foreign int
		super := pgtest.Super(t, b.db.URL())
		require.NoError(t, super.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" WHERE org_id = $1", umbrella.org.OrgID).Scan(&foreign))
		require.Positive(t, foreign, table)
		err := pg.InTenant(t.Context(), b.db.API, acme.org.OrgID, func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" WHERE org_id = $1", umbrella.org.OrgID).Scan(&foreign)
		})
		require.NoError(t, err)
		require.Zero(t, foreign, table)
	}
	err = pg.InTenant(t.Context(), b.db.API, acme.org.OrgID, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO membership (org_id, id, user_id, role) VALUES ($1, $2, $3, 'owner')`,
			umbrella.org.OrgID, id.New(), acme.owner.UserID)
		return err
	})
	require.True(t, pg.Denied(err))
}
