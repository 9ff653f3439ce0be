package advance

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/proto/id"
)

func waiterOf(s *session, free int32) *waiter {
	r := newRequest(Poll{Org: s.org, Session: s.id, Free: Free{Slots: free}, Wait: 1})
	r.session = s
	return &waiter{poll: r.cmd.(Poll), session: s, req: r}
}

func sessionOf(pool id.UUID) *session {
	return &session{org: id.New(), id: id.New(), agent: id.New(), pool: pool, slots: 8, satisfied: map[int64]bool{}}
}

// answers is how often a request was answered; it must have room for one.
func answers(r *request) int { return len(r.done) }

// What is said while a batch is under way, a poll of that batch has not seen:
// parked over it, it would wait for nothing.
func TestNewsDuringABatchIsNotLost(t *testing.T) {
	t.Parallel()
	p := newPark()
	s := sessionOf(id.New())

	w := waiterOf(s, 1)
	p.begin([]*request{w.req})
	p.wake(s.id)
	require.False(t, p.add(w))
	require.Equal(t, 1, answers(w.req), "an order waits for it")

	w = waiterOf(s, 1)
	p.begin([]*request{w.req})
	_, waits := p.hear(s.pool)
	require.False(t, waits)
	require.True(t, p.add(w), "its pool's queue must be looked at again")
	p.end()

	p.begin(nil)
	p.wakeAll()
	require.Equal(t, 1, answers(w.req))
	w = waiterOf(s, 1)
	p.begin([]*request{w.req})
	require.False(t, p.add(w), "the news are of the batch before")
	require.Zero(t, answers(w.req))
}

func TestASessionHasOnePoll(t *testing.T) {
	t.Parallel()
	p := newPark()
	s := sessionOf(id.New())
	first, second, third := waiterOf(s, 1), waiterOf(s, 1), waiterOf(s, 1)
	p.begin([]*request{first.req})
	p.add(first)
	p.begin([]*request{second.req, third.req})
	require.Equal(t, 1, answers(first.req))
	require.True(t, second.req.silent)
	require.False(t, third.req.silent)

	heartbeat := newRequest(Poll{Org: s.org, Session: s.id})
	p.add(third)
	p.begin([]*request{heartbeat})
	require.Zero(t, answers(third.req), "a heartbeat offers nothing")
}

func TestBorrowingGoesRound(t *testing.T) {
	t.Parallel()
	p := newPark()
	pool := id.New()
	var all []*waiter
	for range 5 {
		w := waiterOf(sessionOf(pool), 1)
		all = append(all, w)
		p.add(w)
	}
	seen := map[*waiter]int{}
	for range 5 {
		got := p.borrow(map[id.UUID]*demand{pool: {n: 2}})
		require.Len(t, got, 2)
		for _, w := range got {
			seen[w]++
			p.restore(w, false)
		}
	}
	for _, w := range all {
		require.Equal(t, 2, seen[w])
	}
	require.Empty(t, p.borrow(map[id.UUID]*demand{pool: {n: -1}}))
	require.Empty(t, p.borrow(map[id.UUID]*demand{pool: {n: 9, classes: map[int64]Requirement{7: {Slots: 2}}}}), "no room")
	require.Len(t, p.borrow(map[id.UUID]*demand{pool: {n: 9, classes: map[int64]Requirement{8: {Slots: 1}}}}), 5)
}

// parkModel drives a park as batches, agents and notifications do.
type parkModel struct {
	park     *park
	pool     id.UUID
	sessions []*session
	all      []*request
	given    map[*request]bool
	borrowed []*waiter
	batch    []*request
}

func (m *parkModel) poll(t *rapid.T) {
	s := rapid.SampledFrom(m.sessions).Draw(t, "session")
	r := newRequest(Poll{Org: s.org, Session: s.id, Free: Free{Slots: int32(rapid.IntRange(0, 1).Draw(t, "free"))}, Wait: 1})
	r.session = s
	m.all, m.batch = append(m.all, r), append(m.batch, r)
}

func (m *parkModel) run(t *rapid.T) {
	m.park.begin(m.batch)
	m.borrowed = m.park.borrow(map[id.UUID]*demand{m.pool: {n: rapid.IntRange(0, 3).Draw(t, "n")}})
	for range rapid.IntRange(0, 3).Draw(t, "during") {
		m.meanwhile(t)
	}
	for _, w := range m.borrowed {
		lucky := rapid.Bool().Draw(t, "lucky")
		m.park.restore(w, lucky)
		if lucky {
			m.give(t, w.req)
		}
	}
	for _, r := range m.batch {
		if !r.silent && r.cmd.(Poll).Free.Slots > 0 && rapid.Bool().Draw(t, "given") {
			m.give(t, r)
		} else {
			m.park.add(&waiter{poll: r.cmd.(Poll), session: r.session, req: r})
		}
	}
	m.park.end()
	m.batch, m.borrowed = nil, nil
}

func (m *parkModel) give(t *rapid.T, r *request) {
	if answers(r) != 0 {
		t.Fatal("work was given to a poll that had its answer")
	}
	m.given[r] = true
	r.answer(&Work{Leases: []Lease{{}}}, nil)
}

func (m *parkModel) meanwhile(t *rapid.T) {
	switch rapid.IntRange(0, 3).Draw(t, "event") {
	case 0:
		m.park.wake(rapid.SampledFrom(m.sessions).Draw(t, "woken").id)
	case 1:
		m.park.hear(m.pool)
	case 2:
		if len(m.all) > 0 {
			r := rapid.SampledFrom(m.all).Draw(t, "over")
			m.park.expire(r.session.id, r)
		}
	case 3:
		m.park.waits(m.pool, nil)
	}
}

func TestEveryPollIsAnsweredExactlyOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &parkModel{park: newPark(), pool: id.New(), given: map[*request]bool{}}
		for range 3 {
			m.sessions = append(m.sessions, sessionOf(m.pool))
		}
		t.Repeat(map[string]func(*rapid.T){
			"poll":      m.poll,
			"run":       m.run,
			"meanwhile": m.meanwhile,
			"": func(t *rapid.T) {
				waiting := 0
				for _, list := range m.park.byPool {
					waiting += len(list)
				}
				if waiting != len(m.park.bySession) {
					t.Fatalf("%d wait, of %d sessions", waiting, len(m.park.bySession))
				}
			},
		})
		m.park.begin(m.batch)
		m.park.close()
		for _, r := range m.batch {
			m.park.add(&waiter{poll: r.cmd.(Poll), session: r.session, req: r})
		}
		for i, r := range m.all {
			if answers(r) != 1 {
				t.Fatalf("poll %d was never answered", i)
			}
		}
	})
}
