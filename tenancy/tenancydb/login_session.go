package tenancydb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// User is a person.
type User struct {
	ID    id.UUID
	Email string
	Name  string
}

// SignedIn is a session that has just begun. Its cookie is shown once.
type SignedIn struct {
	User      User
	Cookie    token.Cookie
	ExpiresAt time.Time
}

// LoginSession is one of the ways in that a person has open: a sign-in, or a
// personal token.
type LoginSession struct {
	ID        id.UUID
	CreatedAt time.Time
	SeenAt    time.Time
	IP        string
	// UserAgent is the browser's; empty for a token.
	UserAgent string
	// TokenName and TokenLast4 tell a personal token; empty for a sign-in.
	TokenName  string
	TokenLast4 string
}

const sqlInsertLoginSession = `
	INSERT INTO login_session (id, user_id, token_hash, created_at, seen_at, expires_at, authenticated_at, ip, user_agent)
	VALUES (@id, @user_id, @hash, @now, @now, @expires_at, @now, @ip, @user_agent)`

// begin starts a session with a cookie that never existed before.
func (s *Store) begin(ctx context.Context, tx pgx.Tx, user User, from caller.Caller) (SignedIn, error) {
	cookie, err := token.NewCookie(s.random)
	if err != nil {
		return SignedIn{}, err
	}
	now := s.now()
	signedIn := SignedIn{User: user, Cookie: cookie, ExpiresAt: now.Add(SessionMax)}
	_, err = tx.Exec(ctx, sqlInsertLoginSession, pgx.StrictNamedArgs{
		"id": id.New(), "user_id": user.ID, "hash": cookie.Hash(), "now": now, "expires_at": signedIn.ExpiresAt,
		"ip": from.IP, "user_agent": from.UserAgent,
	})
	if err != nil {
		return SignedIn{}, fmt.Errorf("begin a session: %w", err)
	}
	return signedIn, nil
}

const sqlListLoginSessions = `
	SELECT s.id, s.created_at, s.seen_at, s.ip, s.user_agent, '' AS token_name, '' AS token_last4
	  FROM login_session s
	 WHERE s.user_id = @user_id
	   AND s.expires_at > @now
	   AND s.seen_at > @idle_since
	 UNION ALL
	SELECT t.id, t.created_at, t.seen_at, t.ip, '', t.name, t.last4
	  FROM personal_token t
	 WHERE t.user_id = @user_id
	   AND t.expires_at > @now
	 ORDER BY seen_at DESC, id`

// ListSessions returns the caller's living sessions and tokens, the one used last
// first.
func (s *Store) ListSessions(ctx context.Context, by caller.Caller) ([]LoginSession, error) {
	if !by.Person() {
		return nil, errNoPerson
	}
	now := s.now()
	rows, _ := s.db.Auth.Query(ctx, sqlListLoginSessions, pgx.StrictNamedArgs{
		"user_id": by.UserID, "now": now, "idle_since": now.Add(-SessionIdle),
	})
	sessions, err := pgx.CollectRows(rows, pgx.RowToStructByName[LoginSession])
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return sessions, nil
}

const sqlDeleteLoginSession = `
	WITH session AS (
	  DELETE FROM login_session
	   WHERE id = @id
	     AND user_id = @user_id
	  RETURNING 1
	), token AS (
	  DELETE FROM personal_token
	   WHERE id = @id
	     AND user_id = @user_id
	  RETURNING 1
	)
	SELECT EXISTS (SELECT FROM session) OR EXISTS (SELECT FROM token)`

// RevokeSession ends one of the caller's sessions or tokens, which may be the one
// that asks. Its fault is NOT_FOUND.
func (s *Store) RevokeSession(ctx context.Context, by caller.Caller, session id.UUID) error {
	if !by.Person() {
		return errNoPerson
	}
	ended, err := s.endSession(ctx, by, session)
	if err != nil {
		return err
	}
	if !ended {
		return fault.NotFound("session", id.Format(id.Session, session))
	}
	return nil
}

func (s *Store) endSession(ctx context.Context, by caller.Caller, session id.UUID) (ended bool, err error) {
	err = s.db.Auth.QueryRow(ctx, sqlDeleteLoginSession, pgx.StrictNamedArgs{"id": session, "user_id": by.UserID}).Scan(&ended)
	if err != nil {
		return false, fmt.Errorf("end a session: %w", err)
	}
	return ended, nil
}

// SignOut ends the session or the personal token that asks. A service account
// has none, and is not signed in in this sense.
func (s *Store) SignOut(ctx context.Context, by caller.Caller) error {
	if !by.Person() {
		return nil
	}
	credential := by.SessionID
	if by.KeyID != id.Nil {
		credential = by.KeyID
	}
	_, err := s.endSession(ctx, by, credential)
	return err
}
