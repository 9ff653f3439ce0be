package tenancydb_test

import (
	"encoding/base64"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pg"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
	"github.com/signalboxhq/signalbox/tenancy/tenancydb"
)

// signIn tries a password from an address and returns the reason of the refusal.
func (b *bundle) signIn(email, secret, ip string) fault.Reason {
	_, err := b.store.SignIn(b.t.Context(), tenancydb.SignIn{Email: email, Password: secret}, caller.Caller{IP: ip})
	return fault.ReasonOf(err)
}

func TestUnknownAddressAndWrongPasswordAreOneAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.person("ada@example.com")
	_, known := b.store.SignIn(t.Context(), tenancydb.SignIn{Email: "ada@example.com", Password: "wrong"}, browser())
	_, unknown := b.store.SignIn(t.Context(), tenancydb.SignIn{Email: "bob@example.com", Password: "wrong"}, browser())
	require.Error(t, known)
	require.Equal(t, known, unknown)
}

func TestGuessingSlowsDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.person("ada@example.com")
	for range 5 {
		require.Equal(t, tenancydb.ReasonBadCredentials, b.signIn("ada@example.com", "wrong", "192.0.2.1"))
	}
	require.Equal(t, tenancydb.ReasonRateLimited, b.signIn("ada@example.com", goodPassword, "192.0.2.1"))
	b.clock.advance(time.Second)
	require.Empty(t, b.signIn("ada@example.com", goodPassword, "192.0.2.1"))
	require.Equal(t, tenancydb.ReasonBadCredentials, b.signIn("ada@example.com", "wrong", "192.0.2.1"), "a success begins the count anew")
}

// TestNobodyIsLockedOut: however many addresses guess at an account, its owner
// signs in at once from an address they used before.
func TestNobodyIsLockedOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.person("ada@example.com")
	require.Empty(t, b.signIn("ada@example.com", goodPassword, "192.0.2.1"))
	for i := range 20 {
		require.Equal(t, tenancydb.ReasonBadCredentials, b.signIn("ada@example.com", "wrong", fmt.Sprintf("198.51.100.%d", i)))
	}
	require.Equal(t, tenancydb.ReasonRateLimited, b.signIn("ada@example.com", "wrong", "198.51.100.99"))
	require.Empty(t, b.signIn("ada@example.com", goodPassword, "192.0.2.1"))
}

func TestTriesAtOnceAreCountedOneByOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var refused atomic.Int32
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if b.signIn("ada@example.com", "wrong", "192.0.2.1") == tenancydb.ReasonRateLimited {
				refused.Add(1)
			}
		})
	}
	group.Wait()
	require.Equal(t, int32(15), refused.Load())
}

func TestCheapHashIsReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.person("ada@example.com")
	salt := []byte("saltsaltsaltsalt")
	cheap := "$argon2id$v=19$m=1024,t=1,p=1$" + base64.RawStdEncoding.EncodeToString(salt) + "$" +
		base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(goodPassword), salt, 1, 1024, 1, 32))
	super := pgtest.Super(t, b.db.URL())
	_, err := super.Exec(t.Context(), `UPDATE users SET password_hash = $1`, cheap)
	require.NoError(t, err)
	require.Empty(t, b.signIn("ada@example.com", goodPassword, "192.0.2.1"))
	var stored string
	require.NoError(t, super.QueryRow(t.Context(), `SELECT password_hash FROM users`).Scan(&stored))
	require.Contains(t, stored, "$m=19456,t=2,p=1$")
	require.Empty(t, b.signIn("ada@example.com", goodPassword, "192.0.2.1"))
}

func TestSessionsAreOnesOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cookie := b.person("ada@example.com")
	stranger := b.as(b.person("bob@example.com"), "", "")
	b.clock.advance(time.Minute)
	require.Empty(t, b.signIn("ada@example.com", goodPassword, "198.51.100.1"))
	me := b.as(cookie, "", "")
	sessions, err := b.store.ListSessions(t.Context(), me)
	require.NoError(t, err)
	require.Len(t, sessions, 2)
	require.Equal(t, "198.51.100.1", sessions[0].IP, "the one used last is first")
	require.Equal(t, me.SessionID, sessions[1].ID)
	require.Equal(t, "Firefox", sessions[1].UserAgent)

	err = b.store.RevokeSession(t.Context(), stranger, sessions[0].ID)
	require.Equal(t, fault.ReasonNotFound, fault.ReasonOf(err))
	missing := b.store.RevokeSession(t.Context(), stranger, id.UUID{1})
	require.Equal(t, fault.KindOf(missing), fault.KindOf(err))
	require.NoError(t, b.store.RevokeSession(t.Context(), me, sessions[0].ID))
	sessions, err = b.store.ListSessions(t.Context(), me)
	require.NoError(t, err)
	require.Len(t, sessions, 1)
	require.NoError(t, b.store.SignOut(t.Context(), me))
	require.NoError(t, b.store.SignOut(t.Context(), me), "again is fine")
}

func TestSweepRemovesWhatExpired(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.person("ada@example.com")
	_, err := b.store.SignUp(t.Context(), tenancydb.SignUp{Email: "bob@example.com", Password: goodPassword, Name: "Bob"}, browser())
	require.NoError(t, err)
	sweep := func() (n int64) {
		require.NoError(t, pg.InSystem(t.Context(), b.db.Engine, func(tx pgx.Tx) (err error) {
			n, err = tenancydb.Sweep(t.Context(), tx, b.clock.Now())
			return err
		}))
		return n
	}
	require.Zero(t, sweep())
	b.clock.advance(25 * time.Hour)
	require.Equal(t, int64(3), sweep(), "one session, two links")
	b.clock.advance(91 * 24 * time.Hour)
	require.Positive(t, sweep(), "the counts of tries")
	require.Zero(t, sweep())
}
