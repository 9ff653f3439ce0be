package tenancydb

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
)

// TestLoginPathHasItsIndexes: these statements run before an organization is
// known, over the rows of all, so each must find its way by an index. A scan
// that remains although scans are forbidden is one that has no other way.
func TestLoginPathHasItsIndexes(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	hash, now, nobody, slug := make([]byte, 32), time.Now(), id.UUID{1}, "acme"
	place := func(args pgx.StrictNamedArgs) pgx.StrictNamedArgs {
		args["hash"], args["now"], args["stale"] = hash, now, now
		args["org_id"], args["org_slug"], args["workspace_id"], args["workspace_slug"] = nil, &slug, nil, &slug
		return args
	}
	for name, c := range map[string]struct {
		sql  string
		args pgx.StrictNamedArgs
	}{
		"session":              {sqlAuthenticateSession, place(pgx.StrictNamedArgs{"idle_since": now})},
		"personal token":       {sqlAuthenticatePersonal, place(pgx.StrictNamedArgs{"ip": ""})},
		"key":                  {sqlAuthenticateKey, place(pgx.StrictNamedArgs{"ip": ""})},
		"login":                {sqlFindLogin, pgx.StrictNamedArgs{"email_key": "a", "now": now}},
		"user":                 {sqlFindUserByEmail, pgx.StrictNamedArgs{"email_key": "a"}},
		"link":                 {sqlUseSignUp, pgx.StrictNamedArgs{"hash": hash, "now": now}},
		"sessions":             {sqlListLoginSessions, pgx.StrictNamedArgs{"user_id": nobody, "now": now, "idle_since": now}},
		"end of a session":     {sqlDeleteLoginSession, pgx.StrictNamedArgs{"user_id": nobody, "id": nobody}},
		"invitation by link":   {sqlFindInvitationByLink, pgx.StrictNamedArgs{"hash": hash, "email_key": "a"}},
		"invitation by id":     {sqlFindInvitationByID, pgx.StrictNamedArgs{"id": nobody, "email_key": "a"}},
		"invitations":          {sqlListInvitationsTo, pgx.StrictNamedArgs{"email_key": "a", "now": now}},
		"access of a user":     {sqlListAccessOfUser, pgx.StrictNamedArgs{"user_id": nobody}},
		"access of a key":      {sqlListAccessOfKey, pgx.StrictNamedArgs{"org_id": nobody, "key_id": nobody}},
		"tries that went well": {sqlForgiveTries, pgx.StrictNamedArgs{"keys": [][]byte{hash}, "shared": hash, "now": now}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := pg.InSystem(t.Context(), db.Auth, func(tx pgx.Tx) error {
				if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off`); err != nil {
					return err
				}
				rows, _ := tx.Query(t.Context(), "EXPLAIN "+c.sql, c.args)
				plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
				require.NotContains(t, strings.Join(plan, "\n"), "Seq Scan")
				return err
			})
			require.NoError(t, err)
		})
	}
}
