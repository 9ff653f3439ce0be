package value

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// Keyring is the file of a workspace's private sealing keys. The last one in it
// is what a new workspace is offered.
type Keyring struct {
	path string

	mu   sync.Mutex
	ring *seal.Ring
	seen os.FileInfo
}

// OpenKeyring reads the file; there need be none.
func OpenKeyring(path string) (*Keyring, error) {
	k := &Keyring{path: path, ring: seal.NewRing()}
	_, err := k.Reload()
	return k, err
}

// Ring is what is held now.
func (k *Keyring) Ring() *seal.Ring {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ring
}

// Reload reads the file again if it changed, as `key import` does it beside a
// running agent, and reports whether it did.
func (k *Keyring) Reload() (changed bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the workspace keys: %w", err)
	}
	if k.seen != nil && info.ModTime().Equal(k.seen.ModTime()) && info.Size() == k.seen.Size() {
		return false, nil
	}
	text, err := os.ReadFile(k.path)
	if err != nil {
		return false, fmt.Errorf("read the workspace keys: %w", err)
	}
	ring, err := seal.ParseRing(string(text))
	if err != nil {
		return false, fmt.Errorf("read the workspace keys: %s: %w", k.path, err)
	}
	k.ring, k.seen = ring, info
	return true, nil
}

// Import adds exported keys, one a line.
func (k *Keyring) Import(text string) (*seal.Ring, error) {
	added, err := seal.ParseRing(text)
	if err != nil {
		return nil, fmt.Errorf("import a workspace key: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	ring := k.ring
	for _, key := range added.Keys() {
		ring = ring.With(key)
	}
	return added, k.save(ring)
}

// save writes the file whole or not at all. The lock is held.
func (k *Keyring) save(ring *seal.Ring) error {
	if err := os.WriteFile(k.path+".tmp", []byte(ring.Export()), 0o600); err != nil {
		return fmt.Errorf("write the workspace keys: %w", err)
	}
	if err := os.Rename(k.path+".tmp", k.path); err != nil {
		return fmt.Errorf("write the workspace keys: %w", err)
	}
	k.ring = ring
	if info, err := os.Stat(k.path); err == nil {
		k.seen = info
	}
	return nil
}

// Settle agrees with the control plane on the workspace's sealing key. An agent
// that holds none makes one, which is on disk before it is offered: a key that
// the workspace has and nobody holds would seal for nobody. It is dropped if the
// workspace has another one. held says whether this agent can open.
func (k *Keyring) Settle(ctx context.Context, offer func(context.Context, link.SealingKey) (link.SealingKey, error)) (current seal.PublicKey, held bool, err error) {
	before := k.Ring()
	ring := before
	if len(ring.Keys()) == 0 {
		fresh, err := seal.Generate(rand.Reader)
		if err != nil {
			return seal.PublicKey{}, false, fmt.Errorf("make a workspace key: %w", err)
		}
		ring = ring.With(fresh)
		if err := k.replace(ring); err != nil {
			return seal.PublicKey{}, false, err
		}
	}
	mine := ring.Keys()[len(ring.Keys())-1]
	answer, err := offer(ctx, link.SealingKey{KID: mine.KID().String(), Public: mine.Public().Bytes()})
	if err != nil {
		return seal.PublicKey{}, false, err
	}
	current, err = seal.ParsePublicKey(answer.Public)
	if err != nil {
		return seal.PublicKey{}, false, fmt.Errorf("the workspace's public key: %w", err)
	}
	_, held = ring.Key(current.KID())
	if !held && ring != before {
		err = k.replace(before)
	}
	return current, held, err
}

func (k *Keyring) replace(ring *seal.Ring) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.save(ring)
}
