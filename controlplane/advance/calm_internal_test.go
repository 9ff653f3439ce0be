package advance

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Polls of agents that found nothing a moment ago wait for each other.
func TestCalmPollsMakeOneBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		calm := func() *request {
			r := newRequest(Poll{Org: id.New(), Wait: time.Second})
			r.calm = true
			return r
		}
		begun := time.Now()
		for range 10 {
			require.NoError(t, q.add(calm()))
			time.Sleep(calmFor / 20) //nolint:forbidigo // the clock is a fake
		}
		require.Len(t, q.take(t.Context()), 10)
		require.Equal(t, calmFor, time.Since(begun))
		require.NoError(t, q.add(calm()))
		require.NoError(t, q.add(newRequest(StartRun{Org: id.New()})))
		require.Len(t, q.take(t.Context()), 2, "at once, with whatever comes")
		require.Equal(t, calmFor, time.Since(begun))
	})
}
