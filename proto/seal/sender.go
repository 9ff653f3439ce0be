package seal

import (
	"crypto/cipher"
	"crypto/hpke"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// ContentKeyLife is how long a sender uses one content key. It trades the
	// cost of one X25519 a value for envelopes of an hour that share a header.
	ContentKeyLife = time.Hour
	// ContentKeyUses is how many values it seals with one content key. Nonces
	// are 96 random bits, and two equal ones under one key would give the values
	// away; among 2^20 the chance of that is below 2^-56, far below the 2^-32
	// that NIST SP 800-38D allows. Counting nonces instead would not survive two
	// copies of one process (a snapshot, a fork); random ones mostly do.
	ContentKeyUses = 1 << 20
)

// Sender seals values to one workspace's public key. Any number of goroutines
// may use it.
type Sender struct {
	to     PublicKey
	now    func() time.Time
	random io.Reader

	mu     sync.Mutex
	header []byte
	aead   cipher.AEAD
	made   time.Time
	uses   int
}

// NewSender seals to a public key, with time.Now and crypto/rand.Reader outside
// of tests.
func NewSender(to PublicKey, now func() time.Time, random io.Reader) *Sender {
	return &Sender{to: to, now: now, random: random}
}

// KID names the key that opens what this sender seals.
func (s *Sender) KID() KID { return s.to.KID() }

// Seal makes an envelope of value that opens only as binding. It returns
// ErrTooLarge for a value over MaxValue, and an error for an incomplete
// binding, a public key that X25519 refuses, or randomness that fails.
func (s *Sender) Seal(binding Binding, value []byte) ([]byte, error) {
	if err := binding.check(); err != nil {
		return nil, err
	}
	if len(value) > MaxValue {
		return nil, fmt.Errorf("%w: a value of %d bytes, over %d", ErrTooLarge, len(value), MaxValue)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spent() {
		if err := s.renew(); err != nil {
			return nil, fmt.Errorf("make content key: %w", err)
		}
	}
	envelope := make([]byte, bodyAt, bodyAt+len(value)+padTo+tagSize)
	copy(envelope, s.header)
	nonce := envelope[headerSize:bodyAt]
	if _, err := io.ReadFull(s.random, nonce); err != nil {
		return nil, fmt.Errorf("read nonce: %w", err)
	}
	s.uses++
	return s.aead.Seal(envelope, nonce, pad(value), binding.associate(s.header)), nil
}

// spent also holds for a clock that went back: the age is then unknown.
func (s *Sender) spent() bool {
	age := s.now().Sub(s.made)
	return s.aead == nil || s.uses >= ContentKeyUses || age < 0 || age >= ContentKeyLife
}

func (s *Sender) renew() error {
	contentKey := make([]byte, contentKeySize)
	if _, err := io.ReadFull(s.random, contentKey); err != nil {
		return fmt.Errorf("read randomness: %w", err)
	}
	wrapped, err := hpke.Seal(s.to.key, suiteKDF(), suiteAEAD(), []byte(contentKeyInfo), contentKey)
	if err != nil {
		return fmt.Errorf("wrap: %w", err)
	}
	aead, err := newGCM(contentKey)
	if err != nil {
		return err
	}
	kid := s.to.KID()
	header := make([]byte, 0, headerSize)
	header = append(header, version)
	header = append(header, kid[:]...)
	s.header, s.aead, s.made, s.uses = append(header, wrapped...), aead, s.now(), 0
	return nil
}
