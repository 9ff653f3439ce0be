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

// LoginSession is one of a person's sign-ins.
type LoginSession struct {
	ID        id.UUID
	CreatedAt time.Time
	SeenAt    time.Time
	IP        string
	UserAgent string
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
	SELECT s.id, s.created_at, s.seen_at, s.ip, s.user_agent
	  FROM login_session s
	 WHERE s.user_id = @user_id
	   AND s.expires_at > @now
	   AND s.seen_at > @idle_since
	 ORDER BY s.seen_at DESC, s.id`

// ListSessions returns the caller's living sessions, the one used last first.
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
	DELETE FROM login_session
	 WHERE id = @id
	   AND user_id = @user_id`

// RevokeSession ends one of the caller's sessions, which may be the one that
// asks. Its fault is fault.KindNotFound.
func (s *Store) RevokeSession(ctx context.Context, by caller.Caller, session id.UUID) error {
	if !by.Person() {
		return errNoPerson
	}
	tag, err := s.db.Auth.Exec(ctx, sqlDeleteLoginSession, pgx.StrictNamedArgs{"id": session, "user_id": by.UserID})
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.NotFound("session", id.Format(id.Session, session))
	}
	return nil
}

// SignOut ends the session that asks. A caller without one is signed out
// already.
func (s *Store) SignOut(ctx context.Context, by caller.Caller) error {
	_, err := s.db.Auth.Exec(ctx, sqlDeleteLoginSession, pgx.StrictNamedArgs{"id": by.SessionID, "user_id": by.UserID})
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}
