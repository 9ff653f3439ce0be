// Package serverkey holds the installation's signing keys: what proves to an
// agent that a data request was granted by the control plane it enrolled with,
// and to the control plane that an access token is its own.
//
// The keys are made by the first replica that needs them and shared through the
// database. No customer data is ever under them: workspaces' sealing keys are
// another matter, and never here.
package serverkey

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The names of the keys.
const (
	Access = "access" // signs agents' access tokens
	Grant  = "grant"  // signs data grants; agents pin its public half
)

// The update makes RETURNING answer for a row that was there already.
const sqlEnsureServerKey = `
	INSERT INTO server_key (name, private)
	VALUES (@name, @private)
	ON CONFLICT (name) DO UPDATE SET name = EXCLUDED.name
	RETURNING private`

// Ensure returns the key of that name, making it if nobody has.
func Ensure(ctx context.Context, engine *pgxpool.Pool, name string) (ed25519.PrivateKey, error) {
	_, fresh, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the %s key: %w", name, err)
	}
	var seed []byte
	row := engine.QueryRow(ctx, sqlEnsureServerKey, pgx.StrictNamedArgs{"name": name, "private": fresh.Seed()})
	if err := row.Scan(&seed); err != nil {
		return nil, fmt.Errorf("read the %s key: %w", name, err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the stored %s key has %d bytes instead of %d", name, len(seed), ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
