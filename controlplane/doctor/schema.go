package doctor

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/signalboxhq/signalbox/controlplane/migrations"
	"github.com/signalboxhq/signalbox/proto/id"
)

// The catalog shows a role the privileges of the roles it is a member of: only
// the login user is one of all.
const (
	sqlBeLogin = `
	SET LOCAL ROLE NONE`
	sqlBeEngine = `
	SET LOCAL ROLE sb_engine`
)

// schema lints the schema as it is now, in which a hand may have been since the
// migrations.
func (c *checker) schema(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, sqlBeLogin); err != nil {
		return fmt.Errorf("become the login user: %w", err)
	}
	faults, err := migrations.Lint(ctx, tx.Conn())
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, sqlBeEngine); err != nil {
		return fmt.Errorf("become the engine again: %w", err)
	}
	for _, f := range faults {
		if !f.Accepted() {
			c.add(KindSchema, id.Nil, "%s: %s.", f.Place, f.Fault)
		}
	}
	return nil
}
