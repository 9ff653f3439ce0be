package replica

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

const (
	// keyName is the key of serverkey that the replicas share.
	keyName = "internal"
	// keyLabel says what is derived from it, so that no other use of the same
	// seed ever gives the same key.
	keyLabel = "signalbox internal requests v1"

	// header carries the time in Unix milliseconds, a nonce and the HMAC.
	header = "Signalbox-Internal"

	// maxSkew is how far two replicas' clocks may be apart.
	maxSkew = 30 * time.Second
)

var errRefused = errors.New("the request is not signed for this replica, is old, or came before")

func deriveKey(private ed25519.PrivateKey) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, private.Seed(), nil, keyLabel, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive the internal key: %w", err)
	}
	return key, nil
}

// signature is what the header says.
type signature struct {
	at    int64 // Unix milliseconds
	nonce string
	mac   []byte
}

func (s signature) String() string {
	return strconv.FormatInt(s.at, 10) + "." + s.nonce + "." + hex.EncodeToString(s.mac)
}

func parseSignature(text string) (signature, error) {
	at, rest, _ := strings.Cut(text, ".")
	nonce, mac, _ := strings.Cut(rest, ".")
	ms, err := strconv.ParseInt(at, 10, 64)
	if err != nil || len(nonce) != 2*nonceSize {
		return signature{}, errRefused
	}
	sum, err := hex.DecodeString(mac)
	if err != nil {
		return signature{}, errRefused
	}
	return signature{ms, nonce, sum}, nil
}

const nonceSize = 16

// sign makes the header of a request to another replica.
func (r *Replica) sign(to id.UUID, path string, body []byte) string {
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // It never fails: crypto/rand ends the program instead.
	s := signature{at: r.config.Now().UnixMilli(), nonce: hex.EncodeToString(nonce)}
	s.mac = mac(r.key, s, to, path, body)
	return s.String()
}

// mac covers all that the request means, to whom it goes included. No part but
// the last can contain the separator.
func mac(key []byte, s signature, to id.UUID, path string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range []string{path, to.String(), strconv.FormatInt(s.at, 10), s.nonce} {
		h.Write([]byte(part))
		h.Write([]byte{'\n'})
	}
	h.Write(body)
	return h.Sum(nil)
}

// fresh refuses what was signed too long ago, before its body is read.
func (r *Replica) fresh(s signature) bool {
	return r.config.Now().Sub(time.UnixMilli(s.at)).Abs() <= maxSkew
}

// check accepts a request that was signed for this replica, once.
func (r *Replica) check(s signature, path string, body []byte) error {
	if !hmac.Equal(s.mac, mac(r.key, s, r.id, path, body)) || !r.replays.first(s.nonce, r.config.Now()) {
		return errRefused
	}
	return nil
}

// replays remembers the nonces of accepted requests for at least as long as
// their signatures are fresh: from maxSkew before their time to maxSkew after.
// Nobody without the key adds to it.
type replays struct {
	mu       sync.Mutex
	since    time.Time
	now, old map[string]struct{}
}

func newReplays() replays {
	return replays{now: map[string]struct{}{}, old: map[string]struct{}{}}
}

// first reports whether a nonce was not seen before.
func (p *replays) first(nonce string, at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.Sub(p.since) > 2*maxSkew {
		p.old, p.now, p.since = p.now, map[string]struct{}{}, at
	}
	if _, seen := p.now[nonce]; seen {
		return false
	}
	if _, seen := p.old[nonce]; seen {
		return false
	}
	p.now[nonce] = struct{}{}
	return true
}
