package tenancydb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/password"
	"github.com/signalboxhq/signalbox/tenancy/throttle"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// EmailPurpose is what a mail's link is for.
type EmailPurpose string

// The purposes.
const (
	PurposeVerify EmailPurpose = "verify" // makes the user of a sign-up
	PurposeReset  EmailPurpose = "reset"  // sets a new password
)

// EmailPurposes lists the purposes.
func EmailPurposes() []EmailPurpose { return []EmailPurpose{PurposeVerify, PurposeReset} }

// SignUp is what a person gives to get an account.
type SignUp struct {
	Email    string
	Password string
	Name     string
}

// SignUpMail is the mail that a sign-up causes. Its receiver alone learns
// whether there was an account already.
type SignUpMail struct {
	To   string
	Name string
	// Known says that the address has an account; then there is no Token.
	Known bool
	Token token.Token
}

const sqlFindUserByEmail = `
	SELECT u.id, u.email, u.name
	  FROM users u
	 WHERE u.email_key = @email_key`

const sqlInsertSignUp = `
	INSERT INTO email_token (hash, purpose, email, email_key, name, password_hash, created_at, expires_at)
	VALUES (@hash, 'verify', @email, @email_key, @name, @password_hash, @now, @expires_at)`

// SignUp keeps a sign-up until its mail's link is opened, and returns that mail.
// What it does and how long it takes does not depend on whether the address is
// known. Its faults are INVALID_ARGUMENT, PASSWORD_REFUSED and RATE_LIMITED.
func (s *Store) SignUp(ctx context.Context, in SignUp, from caller.Caller) (SignUpMail, error) {
	email, key, err := parseEmail("email", in.Email)
	if err != nil {
		return SignUpMail{}, err
	}
	name, err := parseName("name", in.Name)
	if err != nil {
		return SignUpMail{}, err
	}
	if err := password.Check(in.Password, email, name); err != nil {
		return SignUpMail{}, err
	}
	err = s.try(ctx, nil, nil,
		counted{throttle.Key("sign_up_address", throttle.Address(from.IP)), throttle.SignUpAddress},
		counted{throttle.Key("mail_to", key), throttle.MailTo})
	if err != nil {
		return SignUpMail{}, err
	}
	hash, err := s.hasher.Hash(ctx, in.Password)
	if err != nil {
		return SignUpMail{}, err
	}
	secret, err := token.New(token.Mail, s.random)
	if err != nil {
		return SignUpMail{}, err
	}
	mail := SignUpMail{To: email, Name: name, Token: secret}
	err = pg.InSystem(ctx, s.db.Auth, func(tx pgx.Tx) error {
		_, err := findUser(ctx, tx, key)
		if err == nil {
			mail = SignUpMail{To: email, Name: name, Known: true}
			return nil
		}
		if !pg.NoRows(err) {
			return fmt.Errorf("look for a user: %w", err)
		}
		now := s.now()
		_, err = tx.Exec(ctx, sqlInsertSignUp, pgx.StrictNamedArgs{
			"hash": secret.Hash(), "email": email, "email_key": key, "name": name, "password_hash": hash,
			"now": now, "expires_at": now.Add(VerifyLife),
		})
		if err != nil {
			return fmt.Errorf("keep a sign-up: %w", err)
		}
		return nil
	})
	return mail, err
}

func findUser(ctx context.Context, tx pgx.Tx, emailKey string) (User, error) {
	rows, _ := tx.Query(ctx, sqlFindUserByEmail, pgx.StrictNamedArgs{"email_key": emailKey})
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[User])
}

const sqlUseSignUp = `
	UPDATE email_token
	   SET used_at = @now
	 WHERE hash = @hash
	   AND purpose = 'verify'
	   AND used_at IS NULL
	   AND expires_at > @now
	RETURNING email, email_key, name, password_hash, created_at`

const sqlInsertUser = `
	INSERT INTO users (id, email, email_key, name, password_hash, verified_at, password_changed_at, created_at)
	VALUES (@id, @email, @email_key, @name, @password_hash, @now, @password_changed_at, @now)
	ON CONFLICT (email_key) DO NOTHING`

// VerifyEmail makes the user of a sign-up and signs them in. The link works
// once; of several sign-ups with one address the first link that is opened wins.
// Its fault is TOKEN_INVALID.
func (s *Store) VerifyEmail(ctx context.Context, text string, from caller.Caller) (SignedIn, error) {
	secret, err := token.ParseKind(token.Mail, text)
	if err != nil {
		return SignedIn{}, errMailToken.Because(err)
	}
	var signedIn SignedIn
	err = pg.InSystem(ctx, s.db.Auth, func(tx pgx.Tx) error {
		now := s.now()
		rows, _ := tx.Query(ctx, sqlUseSignUp, pgx.StrictNamedArgs{"hash": secret.Hash(), "now": now})
		type kept struct {
			Email, EmailKey, Name, PasswordHash string
			CreatedAt                           time.Time
		}
		k, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[kept])
		if pg.NoRows(err) {
			return errMailToken
		}
		if err != nil {
			return fmt.Errorf("use a verification link: %w", err)
		}
		user := User{ID: id.New(), Email: k.Email, Name: k.Name}
		tag, err := tx.Exec(ctx, sqlInsertUser, pgx.StrictNamedArgs{
			"id": user.ID, "email": k.Email, "email_key": k.EmailKey, "name": k.Name, "password_hash": k.PasswordHash,
			"now": now, "password_changed_at": k.CreatedAt,
		})
		if err != nil {
			return fmt.Errorf("make a user: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errMailToken
		}
		signedIn, err = s.begin(ctx, tx, user, from)
		return err
	})
	return signedIn, err
}
