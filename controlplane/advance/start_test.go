package advance_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
)

func TestOneKeyTwiceInABatchStartsOneRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.deploy(chain("keyed", 1))
	c.Key = "k"
	var first, second advance.Started
	start := func(into *advance.Started) func() {
		return func() { *into, _ = b.a.StartRun(t.Context(), c) }
	}
	b.together(start(&first), start(&second))
	require.Equal(t, first.Run, second.Run)
	require.NotEqual(t, first.Created, second.Created)
	require.Equal(t, 1, queryOne[int](b, `SELECT count(*) FROM run WHERE pipeline_id = @id`, pgx.NamedArgs{"id": c.Pipeline}))
	require.Equal(t, 2, queryOne[int](b, `SELECT next_number FROM pipeline WHERE id = @id`, pgx.NamedArgs{"id": c.Pipeline}))
}

// A start that fails in a batch that others commit must leave no key: the next
// one with it would be told of a run that never was.
func TestAStartThatFailsLeavesNoKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	good, bad := b.deploy(chain("good", 1)), b.deploy(chain("bad", 1))
	b.start(bad) // its version is known to the replica
	bad.Key = "k"
	_, failed := pgtest.Super(t, b.db.URL()).Exec(t.Context(), `WITH v AS (DELETE FROM version WHERE pipeline_id = $1) DELETE FROM pipeline WHERE id = $1`, bad.Pipeline)
	require.NoError(t, failed)
	var err, again, fine error
	b.together(
		func() { _, fine = b.a.StartRun(t.Context(), good) },
		func() { _, err = b.a.StartRun(t.Context(), bad) },
		func() { _, again = b.a.StartRun(t.Context(), bad) },
	)
	require.NoError(t, fine)
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
	require.Error(t, again)
	require.Zero(t, b.count("start_key"))
}

func TestRunsAreNumberedWithoutGaps(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.deploy(chain("numbered", 1))
	poisoned := c
	poisoned.Cause = "no such cause"
	var fns []func()
	for i := range 16 {
		fns = append(fns, func() {
			if i%5 == 2 {
				_, _ = b.a.StartRun(t.Context(), poisoned)
			} else {
				_, _ = b.a.StartRun(t.Context(), c)
			}
		})
	}
	b.together(fns...)
	require.Equal(t, 13, queryOne[int](b, `SELECT count(*) FROM run WHERE pipeline_id = @id`, pgx.NamedArgs{"id": c.Pipeline}))
	require.Equal(t, 13, queryOne[int](b, `SELECT max(number) FROM run WHERE pipeline_id = @id`, pgx.NamedArgs{"id": c.Pipeline}))
}

func TestAKeyMustBeText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.deploy(chain("keyed", 1))
	c.Key = "a\x00b"
	_, err := b.a.StartRun(t.Context(), c)
	require.Equal(t, fault.KindInvalid, fault.KindOf(err))
}
