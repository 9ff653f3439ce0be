package tenancydb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

const sqlInsertPersonal = `
	INSERT INTO personal_token (id, user_id, name, token_hash, last4, created_at, expires_at, seen_at, ip)
	VALUES (@id, @user_id, @name, @hash, @last4, @now, @expires_at, @now, @ip)`

// CreatePersonalToken makes a token with which the caller works from the command
// line, and says when it expires; a life of zero is the longest. It takes a
// sign-in: a token that could make tokens would never end. Its faults are
// INVALID_ARGUMENT, PERMISSION_DENIED and QUOTA_EXCEEDED.
func (s *Store) CreatePersonalToken(ctx context.Context, by caller.Caller, name string, life time.Duration) (token.Token, time.Time, error) {
	if !by.Person() || by.KeyID != id.Nil {
		return token.Token{}, time.Time{}, errNoSession
	}
	name, err := parseName("name", name)
	if err != nil {
		return token.Token{}, time.Time{}, err
	}
	if life, err = parseLife(life, MaxPersonalLife); err != nil {
		return token.Token{}, time.Time{}, err
	}
	if err := within(ctx, s.db.Auth, sqlCountPersonal, pgx.StrictNamedArgs{"user_id": by.UserID}, maxTokens, "tokens of yours"); err != nil {
		return token.Token{}, time.Time{}, err
	}
	secret, err := token.New(token.Personal, s.random)
	if err != nil {
		return token.Token{}, time.Time{}, err
	}
	now := s.now()
	expires := now.Add(life)
	_, err = s.db.Auth.Exec(ctx, sqlInsertPersonal, pgx.StrictNamedArgs{
		"id": id.New(), "user_id": by.UserID, "name": name, "hash": secret.Hash(), "last4": secret.Last4(),
		"now": now, "expires_at": expires, "ip": by.IP,
	})
	if err != nil {
		return token.Token{}, time.Time{}, fmt.Errorf("make a personal token: %w", err)
	}
	return secret, expires, nil
}
