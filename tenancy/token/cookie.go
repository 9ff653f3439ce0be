package token

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
)

// cookieBytes is the entropy of a session's cookie: 256 bits.
const cookieBytes = 32

// Cookie is the secret of a login session. It has no prefix and no checksum:
// browsers do not mistype, and nobody should think it a key.
type Cookie struct{ text string }

// NewCookie makes a cookie's secret from random, which must be
// crypto/rand.Reader outside tests.
func NewCookie(random io.Reader) (Cookie, error) {
	var secret [cookieBytes]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return Cookie{}, fmt.Errorf("read randomness for a session: %w", err)
	}
	return Cookie{text: base64.RawURLEncoding.EncodeToString(secret[:])}, nil
}

// ParseCookie reads what a browser sent. Its only error is ErrMalformed.
func ParseCookie(text string) (Cookie, error) {
	secret, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(secret) != cookieBytes {
		return Cookie{}, ErrMalformed
	}
	return Cookie{text: text}, nil
}

// Secret returns the text for the Set-Cookie header.
func (c Cookie) Secret() string { return c.text }

// Hash is what the database keeps.
func (c Cookie) Hash() []byte {
	sum := sha256.Sum256([]byte(c.text))
	return sum[:]
}

// String hides the secret from %s and %v.
func (c Cookie) String() string { return "REDACTED" }

// GoString hides it from %#v.
func (c Cookie) GoString() string { return "token.Cookie(REDACTED)" }

// LogValue hides it from logs.
func (c Cookie) LogValue() slog.Value { return slog.StringValue("REDACTED") }
