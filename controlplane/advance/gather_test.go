package advance_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/proto/id"
)

// pair are two replicas that hand each other polls, as their callers do.
type pair struct {
	list []*advance.Advancer
	ids  []id.UUID
}

// poll asks at one of them, and where that says.
func (p *pair) poll(ctx context.Context, at int, c advance.Poll) (*advance.Work, error) {
	work, err := p.list[at].Poll(ctx, c)
	there, ok := errors.AsType[*advance.ElsewhereError](err)
	if !ok {
		return work, err
	}
	c.Forwarded = true
	for i := range p.ids {
		if p.ids[i] == there.Replica {
			return p.list[i].Poll(ctx, c)
		}
	}
	return nil, err
}

// A gang of four gets its agents although two of them ask at one replica and two
// at the other, each always at its own.
func TestAGangIsGatheredFromTwoReplicas(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, another := b.named(), b.named()
	b.a = one.a // whoever finds the gang too large gathers, so it must be one of them
	p := &pair{list: []*advance.Advancer{one.a, another.a}, ids: []id.UUID{one.id, another.id}}
	pipeline := b.deploy(ganged(4, nil))
	run := b.start(pipeline)
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	ranks := map[int32]bool{}
	for i := range 4 {
		w := b.worker(1)
		wg.Go(func() {
			for ctx.Err() == nil {
				work, err := p.poll(ctx, i%2, advance.Poll{Org: w.org, Agent: w.agent, Session: w.session, Free: advance.Free{Slots: 1}, Wait: 3 * time.Second, ListsLeases: true})
				if err != nil || len(work.Leases) == 0 {
					continue
				}
				mu.Lock()
				defer mu.Unlock()
				if work.Leases[0].Run == run {
					ranks[work.Leases[0].Gang.Rank] = true
				}
				return
			}
		})
	}
	wg.Wait()
	require.Len(t, ranks, 4)
	t.Logf("gathered in %s", time.Since(begun))
}

type namedReplica struct {
	a  *advance.Advancer
	id id.UUID
}

func (b *bundle) named() namedReplica {
	b.t.Helper()
	out := namedReplica{id: id.New()}
	out.a = advance.New(b.db, slog.New(slog.DiscardHandler), func() int { return 1 })
	out.a.As(out.id)
	require.NoError(b.t, out.a.Start(b.t.Context()))
	b.t.Cleanup(out.a.Stop)
	return out
}
