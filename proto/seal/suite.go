package seal

import (
	"crypto/ecdh"
	"crypto/hpke"
)

const (
	// encSize is the length of an encapsulated key, an X25519 public key.
	encSize = 32
	// tagSize is the length of AES-GCM's tag.
	tagSize = 16
)

// The one suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. It is
// what browsers have in WebCrypto, and part of each format's version.
func suiteKEM() hpke.KEM   { return hpke.DHKEM(ecdh.X25519()) }
func suiteKDF() hpke.KDF   { return hpke.HKDFSHA256() }
func suiteAEAD() hpke.AEAD { return hpke.AES256GCM() }
