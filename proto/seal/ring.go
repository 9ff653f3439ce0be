package seal

import (
	"bufio"
	"fmt"
	"strings"
)

// Ring holds the private keys that one agent or CLI has, of any number of
// workspaces, the current and earlier ones. It does not change once made, so it
// may be shared; a nil Ring holds nothing.
type Ring struct {
	keys []*WorkspaceKey
}

// NewRing holds keys in the given order; one that is given twice is held once.
func NewRing(keys ...*WorkspaceKey) *Ring {
	r := &Ring{}
	for _, key := range keys {
		if _, held := r.Key(key.KID()); !held {
			r.keys = append(r.keys, key)
		}
	}
	return r
}

// ParseRing reads exported keys, one a line; blank lines and lines that begin
// with # are left out. Its error names the line, never its text.
func ParseRing(text string) (*Ring, error) {
	var keys []*WorkspaceKey
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := Import(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		keys = append(keys, key)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return NewRing(keys...), nil
}

// Export writes all keys, one a line, for ParseRing.
func (r *Ring) Export() string {
	var text strings.Builder
	for _, key := range r.Keys() {
		text.WriteString(key.Export())
		text.WriteByte('\n')
	}
	return text.String()
}

// With is a ring that also holds key; r stays as it is.
func (r *Ring) With(key *WorkspaceKey) *Ring {
	return NewRing(append(r.Keys(), key)...)
}

// Key returns the key of that name, if it is held.
func (r *Ring) Key(kid KID) (*WorkspaceKey, bool) {
	if r == nil {
		return nil, false
	}
	for _, key := range r.keys {
		if key.KID() == kid {
			return key, true
		}
	}
	return nil, false
}

// Keys returns the keys in order.
func (r *Ring) Keys() []*WorkspaceKey {
	if r == nil {
		return nil
	}
	return append([]*WorkspaceKey(nil), r.keys...)
}

// KIDs names the held keys in order: what an agent tells the control plane, so
// that it is given only leases whose inputs it can open.
func (r *Ring) KIDs() []KID {
	kids := make([]KID, 0, len(r.Keys()))
	for _, key := range r.Keys() {
		kids = append(kids, key.KID())
	}
	return kids
}

// Open opens an envelope that was sealed as binding. It returns a *NoKeyError
// where the ring lacks the key, ErrVersion for the envelope of a newer release,
// and ErrCorrupt for everything else that is wrong with it.
func (r *Ring) Open(binding Binding, envelope []byte) ([]byte, error) {
	parts, err := split(envelope)
	if err != nil {
		return nil, err
	}
	key, held := r.Key(parts.kid)
	if !held {
		return nil, &NoKeyError{KID: parts.kid}
	}
	aead, err := key.contentCipher(parts)
	if err != nil {
		return nil, err
	}
	padded, err := aead.Open(nil, parts.nonce, parts.ciphertext, binding.associate(parts.header))
	if err != nil {
		return nil, ErrCorrupt
	}
	return unpad(padded)
}

// String names the keys and keeps their secrets out of what is printed.
func (r *Ring) String() string { return fmt.Sprintf("ring of sealing keys %v", r.KIDs()) }

// GoString keeps the secrets out of %#v.
func (r *Ring) GoString() string { return r.String() }
