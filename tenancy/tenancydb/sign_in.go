package tenancydb

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/throttle"
)

// SignIn is what a person gives to be let in.
type SignIn struct {
	Email    string
	Password string
}

// sqlFindLogin returns one row always, so that it takes the same time for a
// known address, an unknown one and one that waits to be verified.
const sqlFindLogin = `
	SELECT u.id, u.email, u.name, u.password_hash, t.password_hash AS waiting_hash
	  FROM (SELECT) AS always
	  LEFT JOIN users u ON u.email_key = @email_key
	  LEFT JOIN LATERAL (
	    SELECT t.password_hash
	      FROM email_token t
	     WHERE t.email_key = @email_key
	       AND t.purpose = 'verify'
	       AND t.used_at IS NULL
	       AND t.expires_at > @now
	     ORDER BY t.created_at DESC
	     LIMIT 1
	  ) t ON u.id IS NULL`

type foundLogin struct {
	ID           *id.UUID
	Email, Name  *string
	PasswordHash *string
	WaitingHash  *string
}

// SignIn begins a session. Its faults are BAD_CREDENTIALS, the same for an
// unknown address and a wrong password; EMAIL_NOT_VERIFIED, only for whoever
// knows the password of a sign-up that waits; and RATE_LIMITED.
func (s *Store) SignIn(ctx context.Context, in SignIn, from caller.Caller) (SignedIn, error) {
	emailKey := strings.ToLower(strings.TrimSpace(in.Email))
	address := throttle.Address(from.IP)
	byPair := throttle.Key("sign_in", address, emailKey)
	byAddress := throttle.Key("sign_in_address", address)
	byAccount := throttle.Key("sign_in_account", emailKey)
	err := s.try(ctx, byPair, byAccount,
		counted{byPair, throttle.SignInPair},
		counted{byAddress, throttle.SignInAddress},
		counted{byAccount, throttle.SignInAccount})
	if err != nil {
		return SignedIn{}, err
	}
	login, rehash, err := s.checkPassword(ctx, emailKey, in.Password)
	if err != nil {
		return SignedIn{}, err
	}
	var signedIn SignedIn
	err = pg.InSystem(ctx, s.db.Auth, func(tx pgx.Tx) error {
		now := s.now()
		if err := forgive(ctx, tx, now, byAddress, byPair, byAccount); err != nil {
			return err
		}
		if rehash != "" {
			if err := replaceHash(ctx, tx, *login.ID, *login.PasswordHash, rehash); err != nil {
				return err
			}
		}
		signedIn, err = s.begin(ctx, tx, User{ID: *login.ID, Email: *login.Email, Name: *login.Name}, from)
		return err
	})
	return signedIn, err
}

// checkPassword does the same work whoever asks: one look-up, one hash. rehash
// is the new hash to store where the old one has become too cheap.
func (s *Store) checkPassword(ctx context.Context, emailKey, given string) (login foundLogin, rehash string, err error) {
	rows, _ := s.db.Auth.Query(ctx, sqlFindLogin, pgx.StrictNamedArgs{"email_key": emailKey, "now": s.now()})
	login, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[foundLogin])
	if err != nil {
		return login, "", fmt.Errorf("look for a login: %w", err)
	}
	stored := login.PasswordHash
	if login.ID == nil {
		stored = login.WaitingHash
	}
	ok, cheap, err := s.hasher.Verify(ctx, value(stored), given)
	switch {
	case err != nil:
		return login, "", err
	case !ok:
		return login, "", errBadCredentials
	case login.ID == nil:
		return login, "", errNotVerified
	case cheap:
		rehash, err = s.hasher.Hash(ctx, given)
	}
	return login, rehash, err
}

const sqlReplaceHash = `
	UPDATE users
	   SET password_hash = @fresh
	 WHERE id = @id
	   AND password_hash = @stale`

func replaceHash(ctx context.Context, tx pgx.Tx, user id.UUID, stale, fresh string) error {
	_, err := tx.Exec(ctx, sqlReplaceHash, pgx.StrictNamedArgs{"id": user, "stale": stale, "fresh": fresh})
	if err != nil {
		return fmt.Errorf("store a stronger password hash: %w", err)
	}
	return nil
}
