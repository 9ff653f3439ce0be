package value_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/value"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// controlPlane stores the first public key that it is offered.
type controlPlane struct {
	held link.SealingKey
	err  error
}

func (c *controlPlane) offer(_ context.Context, key link.SealingKey) (link.SealingKey, error) {
	if c.err == nil && c.held.KID == "" {
		c.held = key
	}
	return c.held, c.err
}

func openKeyring(t *testing.T) (*value.Keyring, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "workspace.keys")
	keyring, err := value.OpenKeyring(path)
	require.NoError(t, err)
	return keyring, path
}

func newKey(t *testing.T) *seal.WorkspaceKey {
	t.Helper()
	key, err := seal.Generate(rand.Reader)
	require.NoError(t, err)
	return key
}

func TestFirstAgentMakesTheKey(t *testing.T) {
	t.Parallel()
	plane := &controlPlane{}
	keyring, path := openKeyring(t)
	current, held, err := keyring.Settle(t.Context(), plane.offer)
	require.NoError(t, err)
	require.True(t, held)
	require.Equal(t, plane.held.KID, current.KID().String())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	// A restart, and a second workspace-less control plane, change nothing.
	again, err := value.OpenKeyring(path)
	require.NoError(t, err)
	_, held, err = again.Settle(t.Context(), plane.offer)
	require.NoError(t, err)
	require.True(t, held)
	require.Equal(t, keyring.Ring().KIDs(), again.Ring().KIDs())
}

func TestSecondAgentImportsTheKey(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	plane := &controlPlane{held: link.SealingKey{KID: key.KID().String(), Public: key.Public().Bytes()}}
	keyring, path := openKeyring(t)
	current, held, err := keyring.Settle(t.Context(), plane.offer)
	require.NoError(t, err)
	require.False(t, held)
	require.Equal(t, key.KID(), current.KID())
	require.Empty(t, keyring.Ring().Keys(), "a key that nobody uses is dropped")

	// `key import` runs beside the agent, which notices.
	beside, err := value.OpenKeyring(path)
	require.NoError(t, err)
	added, err := beside.Import("# from the first agent\n" + key.Export() + "\n")
	require.NoError(t, err)
	require.Equal(t, []seal.KID{key.KID()}, added.KIDs())
	changed, err := keyring.Reload()
	require.NoError(t, err)
	require.True(t, changed)
	changed, err = keyring.Reload()
	require.NoError(t, err)
	require.False(t, changed)
	_, held, err = keyring.Settle(t.Context(), plane.offer)
	require.NoError(t, err)
	require.True(t, held)
}

func TestSettleErrors(t *testing.T) {
	t.Parallel()
	keyring, _ := openKeyring(t)
	plane := &controlPlane{err: errors.New("unreachable")}
	_, _, err := keyring.Settle(t.Context(), plane.offer)
	require.ErrorIs(t, err, plane.err)
	// The key stays: the offer may have been taken although the answer was lost.
	require.Len(t, keyring.Ring().Keys(), 1)
	plane.err = nil
	_, held, err := keyring.Settle(t.Context(), plane.offer)
	require.NoError(t, err)
	require.True(t, held)

	plane.held.Public = []byte("short")
	_, _, err = keyring.Settle(t.Context(), plane.offer)
	require.ErrorContains(t, err, "the workspace's public key")
}

func TestDamagedKeyring(t *testing.T) {
	t.Parallel()
	_, path := openKeyring(t)
	require.NoError(t, os.WriteFile(path, []byte("sbwk_nonsense\n"), 0o600))
	_, err := value.OpenKeyring(path)
	require.ErrorIs(t, err, seal.ErrKeyText)
	require.NotContains(t, err.Error(), "nonsense")
	keyring, _ := openKeyring(t)
	_, err = keyring.Import("sbwk_nonsense")
	require.ErrorIs(t, err, seal.ErrKeyText)
}
