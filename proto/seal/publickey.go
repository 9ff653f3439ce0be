package seal

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// PublicKeySize is the length of a public key in bytes.
const PublicKeySize = 32

// KID names a workspace key: the first 8 bytes of its public half's sha256.
type KID [8]byte

// String is the kid in hex, 16 characters, as people and logs see it.
func (k KID) String() string { return hex.EncodeToString(k[:]) }

// ParseKID reads what String wrote.
func ParseKID(text string) (KID, error) {
	var kid KID
	if len(text) != hex.EncodedLen(len(kid)) || strings.ToLower(text) != text {
		return KID{}, fmt.Errorf("%q is not a key id: 16 lower-case hex digits", text)
	}
	if _, err := hex.Decode(kid[:], []byte(text)); err != nil {
		return KID{}, fmt.Errorf("%q is not a key id: %w", text, err)
	}
	return kid, nil
}

// PublicKey is the half of a workspace key that everybody may have: enough to
// seal, not to open. The zero value is no key.
type PublicKey struct {
	key hpke.PublicKey
}

// ParsePublicKey reads the 32 bytes of a public key. It refuses the few points
// of low order, for which everybody knows the shared secret.
func ParsePublicKey(raw []byte) (PublicKey, error) {
	point, err := ecdh.X25519().NewPublicKey(raw)
	if err != nil {
		return PublicKey{}, fmt.Errorf("parse public key: %w", err)
	}
	// Any scalar finds them: X25519 gives zero, and crypto/ecdh an error.
	probe, err := ecdh.X25519().NewPrivateKey(make([]byte, keySize))
	if err != nil {
		return PublicKey{}, fmt.Errorf("parse public key: %w", err)
	}
	if _, err := probe.ECDH(point); err != nil {
		return PublicKey{}, fmt.Errorf("parse public key: %w", err)
	}
	key, err := hpke.NewDHKEMPublicKey(point)
	if err != nil {
		return PublicKey{}, fmt.Errorf("parse public key: %w", err)
	}
	return PublicKey{key: key}, nil
}

// IsZero reports whether p is no key.
func (p PublicKey) IsZero() bool { return p.key == nil }

// Bytes is the key as it is stored and sent.
func (p PublicKey) Bytes() []byte { return p.key.Bytes() }

// KID is the name of the key.
func (p PublicKey) KID() KID {
	sum := sha256.Sum256(p.Bytes())
	return KID(sum[:len(KID{})])
}

// Fingerprint is what a person compares and the CLI pins: half of the key's
// sha256 in groups of four hex digits. It begins with the kid.
func (p PublicKey) Fingerprint() string {
	sum := sha256.Sum256(p.Bytes())
	digits := hex.EncodeToString(sum[:16])
	groups := make([]string, 0, len(digits)/4)
	for ; digits != ""; digits = digits[4:] {
		groups = append(groups, digits[:4])
	}
	return strings.Join(groups, "-")
}
