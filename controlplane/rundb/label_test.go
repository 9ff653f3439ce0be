package rundb_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/rundb"
)

func TestEqualLabelsAreOneSet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const callers = 8
	sets := make(chan int64, callers)
	for range callers {
		store := rundb.NewStore(b.db) // without what another one remembers
		go func() {
			set, err := store.InternLabels(t.Context(), b.by, map[string]string{"a": "<1>", "b": "2"})
			if err != nil {
				t.Error(err)
			}
			sets <- set
		}()
	}
	first := <-sets
	for range callers - 1 {
		require.Equal(t, first, <-sets)
	}
	var rows, pairs int
	require.NoError(t, b.db.Engine.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM label_set), (SELECT count(*) FROM label_pair)`).Scan(&rows, &pairs))
	require.Equal(t, 1, rows)
	require.Equal(t, 2, pairs)

	rival := b.tenant("rival")
	set, err := b.store.InternLabels(t.Context(), rival, map[string]string{"a": "<1>", "b": "2"})
	require.NoError(t, err)
	require.NotEqual(t, first, set, "each organization has its own")
}
