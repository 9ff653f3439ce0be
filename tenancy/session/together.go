package session

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/token"
)

// asked is what a look-up of a key depends on.
type asked struct {
	key                     token.Token
	organization, workspace string
	ip                      string
}

// lookUpWithin bounds a look-up, which does not end with the request that began it.
const lookUpWithin = 10 * time.Second

// together has requests that ask the same share an answer, as a group commit
// writes: those that come while a look-up is under way share the next one. So
// none is answered by what was read before it came, and a program that calls from
// many threads costs a query for all that wait, not one each.
type together struct {
	mu      sync.Mutex
	flights map[asked]*flight // those under way
}

// flight is a look-up and who waits for it.
type flight struct {
	next  *flight       // of those that came since it began
	begin chan struct{} // closed when its turn has come
	done  chan struct{} // closed when it is over

	found authz.Principal
	err   error
}

func newFlight() *flight {
	return &flight{begin: make(chan struct{}), done: make(chan struct{})}
}

// join takes a seat; who comes first of a flight has it look.
func (t *together) join(what asked) (f *flight, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	under := t.flights[what]
	switch {
	case under == nil:
		if t.flights == nil {
			t.flights = map[asked]*flight{}
		}
		f = newFlight()
		close(f.begin)
		t.flights[what] = f
		return f, true
	case under.next == nil:
		under.next = newFlight()
		return under.next, true
	}
	return under.next, false
}

// leave ends a flight and begins the next one.
func (t *together) leave(what asked, f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(f.done)
	if f.next == nil {
		delete(t.flights, what)
		return
	}
	t.flights[what] = f.next
	close(f.next.begin)
}

// do looks up, or shares what another request that waits beside this one finds.
func (t *together) do(ctx context.Context, what asked, lookUp func(ctx context.Context) (authz.Principal, error)) (authz.Principal, error) {
	f, first := t.join(what)
	if first {
		// Whoever sits in it waits for this one: it looks although its own caller
		// may have gone.
		<-f.begin
		t.look(ctx, what, f, lookUp)
		return f.found, f.err
	}
	select {
	case <-f.done:
		return f.found, f.err
	case <-ctx.Done():
		return authz.Principal{}, ctx.Err()
	}
}

func (t *together) look(ctx context.Context, what asked, f *flight, lookUp func(ctx context.Context) (authz.Principal, error)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookUpWithin)
	defer cancel()
	defer t.leave(what, f)
	f.err = fmt.Errorf("look a key up: %w", context.Canceled) // should it panic
	f.found, f.err = lookUp(ctx)
}
