package relay

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/grant"
	"github.com/signalboxhq/signalbox/proto/id"
)

func TestNewsIsTakenOnce(t *testing.T) {
	t.Parallel()
	i, agent := newInbox(time.Now), id.New()
	require.False(t, i.take(agent))
	i.tell(agent)
	require.False(t, i.take(id.New()))
	require.True(t, i.take(agent))
	require.False(t, i.take(agent))
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestAllWatchersHear(t *testing.T) {
	t.Parallel()
	i, agent := newInbox(time.Now), id.New()
	a, cancelA := i.watch(agent)
	b, cancelB := i.watch(agent)
	other, cancelOther := i.watch(id.New())
	cancelA()
	cancelA()
	i.tell(agent)
	require.True(t, closed(a))
	require.True(t, closed(b))
	require.False(t, closed(other))

	late, cancelLate := i.watch(agent)
	require.True(t, closed(late), "what nobody took is news still")
	cancelLate()
	require.True(t, i.take(agent))
	again, cancelAgain := i.watch(agent)
	require.False(t, closed(again), "what was taken is not news")
	cancelB()
	i.tell(agent)
	require.True(t, closed(again), "the end of an older watch does not end a newer one")
	cancelAgain()
	cancelOther()
	require.Empty(t, i.watched)
}

func TestNewsOfAgentsThatPollElsewhereIsForgotten(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	i, agent := newInbox(func() time.Time { return now }), id.New()
	i.tell(agent)
	now = now.Add(grant.Life)
	i.sweep()
	require.Len(t, i.asked, 1)
	now = now.Add(time.Second)
	i.sweep()
	require.Empty(t, i.asked)
}
