package relay

import (
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/grant"
	"github.com/signalboxhq/signalbox/proto/id"
)

// inbox remembers which agents may have a request waiting in the database, so
// that the polls of all the others need not look.
type inbox struct {
	now func() time.Time

	mu      sync.Mutex
	asked   map[id.UUID]time.Time // when it need not be remembered any more
	watched map[id.UUID]*watch
}

// watch is shared by all who wait for news of an agent.
type watch struct {
	news    chan struct{}
	waiting int
}

func newInbox(now func() time.Time) *inbox {
	return &inbox{now: now, asked: map[id.UUID]time.Time{}, watched: map[id.UUID]*watch{}}
}

// tell says that something is asked of an agent.
func (i *inbox) tell(agent id.UUID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked[agent] = i.now().Add(grant.Life)
	if w := i.watched[agent]; w != nil {
		close(w.news)
		delete(i.watched, agent)
	}
}

// take reports whether to look for an agent's requests, once for each tell: it
// must be asked before looking, so that no news is lost in between.
func (i *inbox) take(agent id.UUID) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, ok := i.asked[agent]
	delete(i.asked, agent)
	return ok
}

// watch returns a channel that the next tell closes; it is closed already when
// something told was not taken yet.
func (i *inbox) watch(agent id.UUID) (news <-chan struct{}, cancel func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, ok := i.asked[agent]; ok {
		told := make(chan struct{})
		close(told)
		return told, func() {}
	}
	w := i.watched[agent]
	if w == nil {
		w = &watch{news: make(chan struct{})}
		i.watched[agent] = w
	}
	w.waiting++
	var once sync.Once
	return w.news, func() { once.Do(func() { i.unwatch(agent, w) }) }
}

func (i *inbox) unwatch(agent id.UUID, w *watch) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if w.waiting--; w.waiting == 0 && i.watched[agent] == w {
		delete(i.watched, agent)
	}
}

// sweep forgets the agents that poll elsewhere.
func (i *inbox) sweep() {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.now()
	for agent, until := range i.asked {
		if now.After(until) {
			delete(i.asked, agent)
		}
	}
}
