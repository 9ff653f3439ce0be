package pg_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/pg"
)

// What a database that has no room answers is as if it had not answered: the same
// request may succeed soon.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"53100": true, // the disk is full
		"53200": true, // no memory is left
		"53300": true, // no connection is left
		"57P01": true, // it is being stopped
		"08006": true,
		"23505": false,
		"42601": false,
	} {
		err := fmt.Errorf("write: %w", &pgconn.PgError{Code: code, Severity: "ERROR"})
		require.Equal(t, want, pg.Unreachable(err), code)
	}
	require.False(t, pg.Unreachable(errors.New("another one")))
}
