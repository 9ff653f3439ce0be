package password_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"

	"github.com/signalboxhq/signalbox/tenancy/password"
)

func newHasher(t *testing.T) *password.Hasher {
	t.Helper()
	h, err := password.NewHasher(t.Context(), rand.Reader)
	require.NoError(t, err)
	return h
}

func TestHashIsVerified(t *testing.T) {
	t.Parallel()
	h := newHasher(t)
	stored, err := h.Hash(t.Context(), "correct horse")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$"), stored)

	ok, rehash, err := h.Verify(t.Context(), stored, "correct horse")
	require.NoError(t, err)
	require.True(t, ok)
	require.False(t, rehash)

	ok, rehash, err = h.Verify(t.Context(), stored, "correct horse ")
	require.NoError(t, err)
	require.False(t, ok)
	require.False(t, rehash)
}

func TestHashesAreSalted(t *testing.T) {
	t.Parallel()
	h := newHasher(t)
	one, err := h.Hash(t.Context(), "correct horse")
	require.NoError(t, err)
	two, err := h.Hash(t.Context(), "correct horse")
	require.NoError(t, err)
	require.NotEqual(t, one, two)
}

func TestOtherCostAsksForRehash(t *testing.T) {
	t.Parallel()
	h := newHasher(t)
	const stored = "$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$"
	sum := base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte("correct horse"), []byte("saltsaltsaltsalt"), 1, 1024, 1, 32))
	ok, rehash, err := h.Verify(t.Context(), stored+sum, "correct horse")
	require.NoError(t, err)
	require.True(t, ok)
	require.True(t, rehash)
	ok, rehash, err = h.Verify(t.Context(), stored+sum, "wrong horse")
	require.NoError(t, err)
	require.False(t, ok)
	require.False(t, rehash)
}

func TestUnknownUserIsNeverRight(t *testing.T) {
	t.Parallel()
	h := newHasher(t)
	for _, guess := range []string{"a password that nobody has", "", "x"} {
		ok, rehash, err := h.Verify(t.Context(), "", guess)
		require.NoError(t, err)
		require.False(t, ok)
		require.False(t, rehash)
	}
}

func TestBrokenHashIsAnError(t *testing.T) {
	t.Parallel()
	h := newHasher(t)
	_, _, err := h.Verify(t.Context(), "$2y$10$bcrypt", "x")
	require.ErrorContains(t, err, "read a stored password hash")
}

func TestHasherGivesUpWithItsCaller(t *testing.T) {
	t.Parallel()
	h := newHasher(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("gone"))
	// With every slot free either branch may be taken; many tries meet the
	// canceled one, and none may hang.
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, err := h.Hash(ctx, "correct horse"); err != nil {
				require.ErrorIs(t, err, context.Canceled)
			}
		})
	}
	group.Wait()
}

func TestBrokenRandomnessIsAnError(t *testing.T) {
	t.Parallel()
	_, err := password.NewHasher(t.Context(), iotest.ErrReader(io.ErrUnexpectedEOF))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func BenchmarkHash(b *testing.B) {
	h, err := password.NewHasher(b.Context(), rand.Reader)
	require.NoError(b, err)
	for b.Loop() {
		_, _ = h.Hash(b.Context(), "correct horse")
	}
}
