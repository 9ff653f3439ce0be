package seal

import (
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const (
	keyPrefix   = "sbwk_"
	keySize     = 32
	keySumSize  = 8
	keySumLabel = "signalbox workspace key v1"
)

// keyText has no padding and no letters that read alike. 32 bytes of key and 8
// of checksum make exactly 64 characters.
var keyText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// WorkspaceKey is a workspace's sealing key pair. It prints as its kid, never as
// its secret; only Export writes that.
type WorkspaceKey struct {
	private hpke.PrivateKey
	public  PublicKey
	kid     KID
	// raw is what Export writes and digests derive from. A function, because
	// fmt prints the fields of a struct within a struct whatever its methods say.
	raw func() [keySize]byte
}

// Generate makes a key pair from 32 bytes of randomness.
func Generate(random io.Reader) (*WorkspaceKey, error) {
	var raw [keySize]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return nil, fmt.Errorf("generate workspace key: %w", err)
	}
	return newWorkspaceKey(raw)
}

func newWorkspaceKey(raw [keySize]byte) (*WorkspaceKey, error) {
	private, err := suiteKEM().NewPrivateKey(raw[:])
	if err != nil {
		return nil, fmt.Errorf("make workspace key: %w", err)
	}
	public := PublicKey{key: private.PublicKey()}
	return &WorkspaceKey{
		private: private,
		public:  public,
		kid:     public.KID(),
		raw:     func() [keySize]byte { return raw },
	}, nil
}

// Public is the half to give away.
func (k *WorkspaceKey) Public() PublicKey { return k.public }

// KID is the name of the key.
func (k *WorkspaceKey) KID() KID { return k.kid }

// Fingerprint is the public half's.
func (k *WorkspaceKey) Fingerprint() string { return k.public.Fingerprint() }

// Export writes the secret as text for another agent or the CLI to Import:
// sbwk_ and 64 characters, the last of which are a checksum.
func (k *WorkspaceKey) Export() string {
	raw := k.raw()
	sum := keySum(raw)
	return keyPrefix + keyText.EncodeToString(append(raw[:], sum[:]...))
}

// Import reads what Export wrote, with blanks around it. It returns ErrKeyText
// for anything else; the error never repeats the text.
func Import(text string) (*WorkspaceKey, error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(text), keyPrefix)
	if !ok {
		return nil, fmt.Errorf("%w: it begins with %s", ErrKeyText, keyPrefix)
	}
	if len(body) != keyText.EncodedLen(keySize+keySumSize) {
		return nil, fmt.Errorf("%w: %d characters follow %s, not %d",
			ErrKeyText, keyText.EncodedLen(keySize+keySumSize), keyPrefix, len(body))
	}
	decoded, err := keyText.DecodeString(body)
	if err != nil || len(decoded) != keySize+keySumSize { // the decoder skips line breaks
		return nil, fmt.Errorf("%w: a character is not part of its alphabet", ErrKeyText)
	}
	raw := [keySize]byte(decoded)
	if keySum(raw) != [keySumSize]byte(decoded[keySize:]) {
		return nil, fmt.Errorf("%w: the checksum does not match, so it was mistyped or cut", ErrKeyText)
	}
	return newWorkspaceKey(raw)
}

// keySum finds typing errors. It covers the secret itself, because some of its
// bits do not show in the public key.
func keySum(raw [keySize]byte) [keySumSize]byte {
	sum := sha256.Sum256(append([]byte(keySumLabel), raw[:]...))
	return [keySumSize]byte(sum[:])
}

// String keeps the secret out of what is printed.
func (k *WorkspaceKey) String() string { return "workspace key " + k.kid.String() }

// GoString keeps the secret out of %#v.
func (k *WorkspaceKey) GoString() string { return k.String() }

// LogValue keeps the secret out of the log.
func (k *WorkspaceKey) LogValue() slog.Value { return slog.StringValue(k.String()) }
