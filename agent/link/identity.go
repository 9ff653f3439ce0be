package link

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Identity is who an agent is. It lives in one file that only its owner may
// read; whoever has the file is the agent.
type Identity struct {
	Key ed25519.PrivateKey `json:"key"`

	// The rest is empty until the agent has enrolled.
	Agent        string `json:"agent,omitempty"`
	Organization string `json:"organization,omitempty"`
	Workspace    string `json:"workspace,omitempty"`
	Pool         string `json:"pool,omitempty"`
	PoolName     string `json:"pool_name,omitempty"`
	// GrantKey signs data grants; it was pinned when the agent enrolled.
	GrantKey ed25519.PublicKey `json:"grant_key,omitempty"`
	Server   string            `json:"server,omitempty"`
}

// Enrolled reports whether the control plane knows the agent.
func (i *Identity) Enrolled() bool { return i.Agent != "" }

// LogValue keeps the key out of the log.
func (i *Identity) LogValue() slog.Value {
	return slog.GroupValue(slog.String("agent_id", i.Agent), slog.String("pool", i.PoolName), slog.String("workspace_id", i.Workspace))
}

// Organization and workspace as ids, for what is bound to them.
func (i *Identity) ids() (org, workspace id.UUID, err error) {
	if org, err = id.Parse(id.Org, i.Organization); err != nil {
		return org, workspace, err
	}
	workspace, err = id.Parse(id.Workspace, i.Workspace)
	return org, workspace, err
}

// LoadIdentity reads the agent's file, or makes it with a new key. The key is on
// disk before anybody hears of it, so that an enrolment that was cut off can be
// repeated with the same key and gets the same answer.
func LoadIdentity(path string) (*Identity, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("make the agent's key: %w", err)
		}
		identity := &Identity{Key: key}
		return identity, identity.save(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the agent's identity: %w", err)
	}
	var identity Identity
	if err := json.Unmarshal(content, &identity); err != nil || len(identity.Key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("read the agent's identity: %s is damaged; move it away and join anew with a token", path)
	}
	if identity.Enrolled() {
		_, _, err = identity.ids()
	}
	return &identity, err
}

// save writes the file whole or not at all.
func (i *Identity) save(path string) error {
	content, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return fmt.Errorf("write the agent's identity: %w", err)
	}
	if err := os.WriteFile(path+".tmp", append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the agent's identity: %w", err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return fmt.Errorf("write the agent's identity: %w", err)
	}
	return nil
}
