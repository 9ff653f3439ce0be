package pipelineapi

import (
	"context"
	"runtime"
	"sync"

	"github.com/signalboxhq/signalbox/proto/id"
)

// perOrganization is how many files of one organization are compiled at once. A
// file of the largest size keeps a core busy for half a second, and everybody who
// may look at runs may have one checked: without a bound, one such person would
// keep all of them busy.
const perOrganization = 2

// turns lets in as many compilations as there are cores, and few of each
// organization. Whoever is over it waits.
type turns struct {
	cores chan struct{}

	mu     sync.Mutex
	queues map[id.UUID]*queue
}

// queue is an organization's: it is kept while somebody is in it.
type queue struct {
	slots chan struct{}
	users int
}

func newTurns() *turns {
	return &turns{cores: make(chan struct{}, runtime.GOMAXPROCS(0)), queues: map[id.UUID]*queue{}}
}

// take waits for a turn of org. leave ends it and must be called, unless err,
// which is ctx's, says that there was none.
func (t *turns) take(ctx context.Context, org id.UUID) (leave func(), err error) {
	q := t.enter(org)
	for _, slots := range []chan struct{}{q.slots, t.cores} {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			if slots == t.cores {
				<-q.slots
			}
			t.exit(org, q)
			return nil, ctx.Err()
		}
	}
	return func() {
		<-t.cores
		<-q.slots
		t.exit(org, q)
	}, nil
}

func (t *turns) enter(org id.UUID) *queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.queues[org]
	if q == nil {
		q = &queue{slots: make(chan struct{}, perOrganization)}
		t.queues[org] = q
	}
	q.users++
	return q
}

func (t *turns) exit(org id.UUID, q *queue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.users--; q.users == 0 {
		delete(t.queues, org)
	}
}
