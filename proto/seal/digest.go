package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

const digestInfo = "signalbox digest v1"

// DigestSize is the length of a digest: a kid and a SHA-256.
const DigestSize = len(KID{}) + sha256.Size

// Digest stands for a content that the control plane may compare and not learn:
// kid ‖ HMAC-SHA256. Digests of two keys differ. It may be compared with ==.
type Digest [DigestSize]byte

// KID names the key that made the digest.
func (d Digest) KID() KID { return KID(d[:]) }

// String is the digest in hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Digest makes the keyed digest of parts for one purpose ("cache", "item").
// Digests for two purposes differ for the same parts, and ("ab", "c") differs
// from ("a", "bc").
func (k *WorkspaceKey) Digest(purpose string, parts ...[]byte) (Digest, error) {
	raw := k.raw()
	macKey, err := hkdf.Key(sha256.New, raw[:], nil, digestInfo, sha256.Size)
	if err != nil {
		return Digest{}, fmt.Errorf("derive digest key: %w", err)
	}
	mac := hmac.New(sha256.New, macKey)
	write := func(part []byte) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		mac.Write(length[:])
		mac.Write(part)
	}
	write([]byte(purpose))
	for _, part := range parts {
		write(part)
	}
	var digest Digest
	copy(digest[:], k.kid[:])
	copy(digest[len(k.kid):], mac.Sum(nil))
	return digest, nil
}
