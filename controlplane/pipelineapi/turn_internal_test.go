package pipelineapi

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/id"
)

func TestOneOrganizationDoesNotTakeAllTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		turns.cores = make(chan struct{}, 3)
		greedy, other := id.New(), id.New()
		var leave []func()
		for range perOrganization {
			l, err := turns.take(t.Context(), greedy)
			require.NoError(t, err)
			leave = append(leave, l)
		}
		third := make(chan func(), 1)
		go func() {
			l, err := turns.take(t.Context(), greedy)
			if err == nil {
				third <- l
			}
		}()
		synctest.Wait()
		require.Empty(t, third, "it waits")

		l, err := turns.take(t.Context(), other)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = turns.take(ctx, other)
		require.ErrorIs(t, err, context.Canceled, "all cores are busy")
		l()

		leave[0]()
		(<-third)()
		leave[1]()
		require.Empty(t, turns.queues)
		require.Empty(t, turns.cores)
	})
}
