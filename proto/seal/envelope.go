package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hpke"
	"encoding/base64"
	"fmt"
	"strings"
)

// MaxValue is the largest value in bytes (format.md §3).
const MaxValue = 64 << 10

const (
	version        = 1
	contentKeySize = 32
	nonceSize      = 12

	kidAt      = 1
	encAt      = kidAt + len(KID{})
	wrappedAt  = encAt + encSize
	headerSize = wrappedAt + contentKeySize + tagSize // what one content key's envelopes share
	bodyAt     = headerSize + nonceSize
	padTo      = 32

	contentKeyInfo = "signalbox content key v1"
	textPrefix     = "sealed:"
)

// parts is an envelope taken apart; the slices point into it.
type parts struct {
	kid        KID
	header     []byte
	wrapped    []byte // enc ‖ sealed content key
	nonce      []byte
	ciphertext []byte
}

func split(envelope []byte) (parts, error) {
	if len(envelope) == 0 {
		return parts{}, ErrCorrupt
	}
	if envelope[0] != version {
		return parts{}, fmt.Errorf("%w: %d", ErrVersion, envelope[0])
	}
	padded := len(envelope) - bodyAt - tagSize
	if padded <= 0 || padded%padTo != 0 || padded > MaxValue+padTo {
		return parts{}, ErrCorrupt
	}
	return parts{
		kid:        KID(envelope[kidAt:]),
		header:     envelope[:headerSize],
		wrapped:    envelope[encAt:headerSize],
		nonce:      envelope[headerSize:bodyAt],
		ciphertext: envelope[bodyAt:],
	}, nil
}

// Info is what anybody can see of an envelope.
type Info struct {
	KID KID // the key that opens it
	// Size is the length of the value in bytes, rounded up to the padding: the
	// value has fewer bytes, by at least 1 and at most 32.
	Size int
}

// Inspect reads an envelope from outside. It returns ErrVersion or ErrCorrupt
// for what cannot be an envelope; nil does not mean that it opens.
func Inspect(envelope []byte) (Info, error) {
	parts, err := split(envelope)
	if err != nil {
		return Info{}, err
	}
	return Info{KID: parts.kid, Size: len(parts.ciphertext) - tagSize}, nil
}

// Text writes an envelope as it stands in a pipeline file: sealed:… in base64
// for URLs.
func Text(envelope []byte) string {
	return textPrefix + base64.RawURLEncoding.EncodeToString(envelope)
}

// IsText reports whether a text claims to be an envelope.
func IsText(text string) bool { return strings.HasPrefix(text, textPrefix) }

// ParseText reads what Text wrote and checks it like Inspect.
func ParseText(text string) ([]byte, error) {
	body, ok := strings.CutPrefix(text, textPrefix)
	if !ok {
		return nil, fmt.Errorf("%w: it does not begin with %s", ErrCorrupt, textPrefix)
	}
	envelope, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil || strings.ContainsAny(body, "\r\n") { // which the decoder skips
		return nil, fmt.Errorf("%w: it is not base64", ErrCorrupt)
	}
	if _, err := split(envelope); err != nil {
		return nil, err
	}
	return envelope, nil
}

// contentCipher unwraps the content key of an envelope.
func (k *WorkspaceKey) contentCipher(p parts) (cipher.AEAD, error) {
	contentKey, err := hpke.Open(k.private, suiteKDF(), suiteAEAD(), []byte(contentKeyInfo), p.wrapped)
	if err != nil {
		return nil, ErrCorrupt
	}
	return newGCM(contentKey)
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("content cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("content cipher: %w", err)
	}
	return aead, nil
}

// pad hides a value's length within padTo bytes.
func pad(value []byte) []byte {
	padded := make([]byte, (len(value)/padTo+1)*padTo)
	copy(padded, value)
	padded[len(value)] = 0x80
	return padded
}

func unpad(padded []byte) ([]byte, error) {
	end := len(padded) - 1
	for end >= 0 && padded[end] == 0 {
		end--
	}
	if end < 0 || padded[end] != 0x80 || len(padded)-end > padTo {
		return nil, ErrCorrupt
	}
	return padded[:end], nil
}
