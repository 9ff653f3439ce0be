// Package password keeps the passwords of people: as argon2id hashes, at a cost
// that the machine can bear.
//
// It owns the parameters (OWASP's and ASVS's: two passes over 19 MiB), how many
// hashes run at once, and which passwords are refused. It does not know users
// or the database. A password is taken byte for byte as it was sent.
package password

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
)

// concurrent bounds how many hashes run at once: each takes 19 MiB and some
// 20 ms of a core, so that without a bound a burst of sign-ins is an outage.
const concurrent = 4

// Hasher hashes and verifies. It may be used by many goroutines; a process
// should have one, because the bound on concurrent hashes is the Hasher's.
type Hasher struct {
	random io.Reader
	params params
	slots  chan struct{}
	decoy  string
}

// NewHasher makes a Hasher. random is crypto/rand.Reader outside tests.
func NewHasher(ctx context.Context, random io.Reader) (*Hasher, error) {
	h := &Hasher{random: random, params: current, slots: make(chan struct{}, concurrent)}
	decoy, err := h.Hash(ctx, "a password that nobody has")
	if err != nil {
		return nil, fmt.Errorf("make the decoy hash: %w", err)
	}
	h.decoy = decoy
	return h, nil
}

// Hash returns the PHC string to store. It waits for a free slot; its only
// errors are ctx's and those of the randomness.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLength)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", fmt.Errorf("read randomness for a salt: %w", err)
	}
	sum, err := h.derive(ctx, password, salt, h.params, sumLength)
	if err != nil {
		return "", err
	}
	return phc{params: h.params, salt: salt, sum: sum}.String(), nil
}

// Verify reports whether password is the one that stored was made from, and
// whether it should be hashed anew because the parameters have grown since. An
// empty stored is an unknown user: the answer is no, after the same work, so
// that the time does not tell who has an account.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (ok, rehash bool, err error) {
	known := stored != ""
	if !known {
		stored = h.decoy
	}
	p, err := parsePHC(stored)
	if err != nil {
		return false, false, fmt.Errorf("read a stored password hash: %w", err)
	}
	sum, err := h.derive(ctx, password, p.salt, p.params, len(p.sum))
	if err != nil {
		return false, false, err
	}
	same := subtle.ConstantTimeCompare(sum, p.sum) == 1
	return same && known, same && known && p.params != h.params, nil
}

func (h *Hasher) derive(ctx context.Context, password string, salt []byte, p params, length int) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(password), salt, p.time, p.memoryKiB, p.threads, uint32(length)), nil
}
