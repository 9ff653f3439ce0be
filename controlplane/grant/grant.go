// Package grant signs and checks data grants: the control plane's word to an
// agent that a reader may see one run's data, sealed to one public key, for a
// minute.
//
// It decides nothing: whoever issues a grant has checked data.read.
package grant

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Life is how long a grant may be used to begin a stream.
const Life = time.Minute

const (
	issuer   = "signalbox"
	audience = "signalbox-data"
)

// Claims is what a grant says. Ids are in their text form.
type Claims struct {
	jwt.RegisteredClaims

	Organization string `json:"org"`
	Run          string `json:"run"`
	// KeyHash is the sha256 of the reader's public key, in hex.
	KeyHash string `json:"kh"`
}

// KeyHash is how a grant names a reader's public key.
func KeyHash(publicKey []byte) string {
	sum := sha256.Sum256(publicKey)
	return hex.EncodeToString(sum[:])
}

// Sign issues a grant to a reader.
func Sign(key ed25519.PrivateKey, now time.Time, reader, organization, run string, publicKey []byte) (string, error) {
	c := Claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: reader, Audience: jwt.ClaimStrings{audience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(Life)),
		},
		Organization: organization, Run: run, KeyHash: KeyHash(publicKey),
	}
	out, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c).SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign grant: %w", err)
	}
	return out, nil
}

// Check returns what a valid grant says. The parser is strict: one method, and
// issuer, audience and expiry must all be there.
func Check(key ed25519.PublicKey, now time.Time, text string) (Claims, error) {
	var c Claims
	_, err := jwt.ParseWithClaims(text, &c, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil {
		return Claims{}, fmt.Errorf("check grant: %w", err)
	}
	return c, nil
}
