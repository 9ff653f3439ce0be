package link

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	grantIssuer   = "signalbox"
	grantAudience = "signalbox-data"
)

// grantClaims is what a data grant says, in text ids.
type grantClaims struct {
	jwt.RegisteredClaims

	Organization string `json:"org"`
	Run          string `json:"run"`
	KeyHash      string `json:"kh"` // sha256 of the reader's public key, in hex
}

// CheckGrant checks that the control plane allowed a reader to see a run's data
// under the key that the request names, within the last minute. It returns who
// the reader is. The parser is strict: one method, and no claim may be missing.
func (c *Client) CheckGrant(request DataRequest) (reader string, err error) {
	return checkGrant(c.identity.GrantKey, c.identity.Organization, c.Clock.Now(), request)
}

func checkGrant(key ed25519.PublicKey, organization string, now time.Time, request DataRequest) (string, error) {
	var claims grantClaims
	_, err := jwt.ParseWithClaims(request.Grant, &claims, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithIssuer(grantIssuer), jwt.WithAudience(grantAudience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(2*tolerated), jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil {
		return "", fmt.Errorf("check a data grant: %w", err)
	}
	hash := sha256.Sum256(request.PublicKey)
	switch {
	case claims.Organization != organization:
		return "", errors.New("check a data grant: it is for another organization")
	case claims.Run != request.Run:
		return "", errors.New("check a data grant: it is for another run")
	case claims.KeyHash != hex.EncodeToString(hash[:]):
		return "", errors.New("check a data grant: it is for another reader's key")
	}
	return claims.Subject, nil
}
