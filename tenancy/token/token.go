// Package token makes and reads the secrets that people copy: API keys, join
// tokens, the tokens of mails, and the opaque ones of cookies.
//
//	sbk_mC3vq0J8wD5tYx1pRk7ZbN2sLe9Hau4kXo1B
//	└┬─┘└────────────┬───────────────┘└─┬──┘
//	 kind    30 digits base 62, 178 bits   CRC-32 of all before it, base 62
//
// The checksum refuses a typo before the database is asked; it is no proof of
// anything. The tokens carry enough entropy that a plain SHA-256 keeps them at
// rest: Hash is what is stored, never the text. The package owns the format
// only: not what a token may do, nor how long it lives.
package token

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
)

// Kind is what a token is for, told by its prefix.
type Kind string

// The kinds. Their prefixes are public: secret scanners look for them.
const (
	ServiceKey Kind = "sbk" // a service account's API key
	Personal   Kind = "sbu" // a person's token for the command line
	Join       Kind = "sbj" // lets an agent enrol
	Mail       Kind = "sbi" // sent by mail: invitation, verification, reset
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{ServiceKey, Personal, Join, Mail} }

const (
	alphabet     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	randomLength = 30
	checkLength  = 6
	prefixLength = 4
	length       = prefixLength + randomLength + checkLength
)

// Pattern matches every token of the kinds that people keep in files, for the
// secret scanners that we publish it to.
const Pattern = `sb[kuj]_[0-9A-Za-z]{36}`

// ErrMalformed is returned for a text that no New ever made. It holds nothing
// of the text, which may be a mistyped secret.
var ErrMalformed = errors.New("not a valid token: it is mistyped or cut off")

// Token is one secret. It prints as REDACTED; Secret shows it, once, to whom it
// belongs.
type Token struct {
	kind Kind
	text string
}

// New makes a token from random, which must be crypto/rand.Reader outside tests.
func New(kind Kind, random io.Reader) (Token, error) {
	text := make([]byte, 0, length)
	text = append(text, kind...)
	text = append(text, '_')
	text, err := appendRandom(text, random)
	if err != nil {
		return Token{}, fmt.Errorf("read randomness for a token: %w", err)
	}
	text = appendChecksum(text)
	return Token{kind: kind, text: string(text)}, nil
}

// appendRandom draws digits without bias: bytes from 248 up are thrown away,
// since 248 is the largest multiple of 62 that fits a byte.
func appendRandom(text []byte, random io.Reader) ([]byte, error) {
	var draw [randomLength]byte
	for len(text) < prefixLength+randomLength {
		if _, err := io.ReadFull(random, draw[:]); err != nil {
			return nil, err
		}
		for _, b := range draw {
			if b < 248 && len(text) < prefixLength+randomLength {
				text = append(text, alphabet[b%62])
			}
		}
	}
	return text, nil
}

func appendChecksum(text []byte) []byte {
	sum := crc32.ChecksumIEEE(text)
	var digits [checkLength]byte
	for i := range digits {
		digits[checkLength-1-i] = alphabet[sum%62]
		sum /= 62
	}
	return append(text, digits[:]...)
}

// Parse reads a token without asking anybody. Its only error is ErrMalformed.
func Parse(text string) (Token, error) {
	if len(text) != length || text[prefixLength-1] != '_' {
		return Token{}, ErrMalformed
	}
	kind := Kind(text[:prefixLength-1])
	if !kind.known() {
		return Token{}, ErrMalformed
	}
	for i := prefixLength; i < prefixLength+randomLength; i++ {
		if bytes.IndexByte([]byte(alphabet), text[i]) < 0 {
			return Token{}, ErrMalformed
		}
	}
	body := []byte(text[:prefixLength+randomLength])
	if string(appendChecksum(body)) != text {
		return Token{}, ErrMalformed
	}
	return Token{kind: kind, text: text}, nil
}

// ParseKind is Parse for a token that must be of the given kind.
func ParseKind(kind Kind, text string) (Token, error) {
	t, err := Parse(text)
	if err != nil {
		return Token{}, err
	}
	if t.kind != kind {
		return Token{}, ErrMalformed
	}
	return t, nil
}

func (k Kind) known() bool {
	switch k {
	case ServiceKey, Personal, Join, Mail:
		return true
	}
	return false
}

// Prefix is what the kind's tokens begin with, underscore included.
func (k Kind) Prefix() string { return string(k) + "_" }

// Kind returns what the token is for.
func (t Token) Kind() Kind { return t.kind }

// Secret returns the whole text. Show it once; never store or log it.
func (t Token) Secret() string { return t.text }

// Hash is what the database keeps: the SHA-256 of the whole text.
func (t Token) Hash() []byte {
	sum := sha256.Sum256([]byte(t.text))
	return sum[:]
}

// Last4 lets people tell their tokens apart in a list.
func (t Token) Last4() string {
	if len(t.text) < length {
		return ""
	}
	return t.text[length-4:]
}

// String hides the secret from %s and %v.
func (t Token) String() string { return "REDACTED" }

// GoString hides it from %#v.
func (t Token) GoString() string { return "token.Token(REDACTED)" }

// LogValue hides it from logs.
func (t Token) LogValue() slog.Value { return slog.StringValue("REDACTED") }
