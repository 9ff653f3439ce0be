package engine

import (
	"bytes"
	"slices"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Line is the line of one concurrency key: who holds its places and who waits
// for one. It is what the rows of a locked line say, and is advanced in place;
// Touched and Gone are what must be written then.
//
// Whenever somebody waits although a place is free, and nobody holds the line
// up, a Fill is under way.
type Line struct {
	Next    int64  // the ticket of the next to come
	Held    []Spot // those with a place
	Waiting []Spot // by ticket; perhaps only the first of them
	Behind  int    // how many wait behind those

	Touched map[id.UUID]Spot
	Gone    []id.UUID
}

// Spot is where a run stands in a line.
type Spot struct {
	Run    id.UUID
	Ticket int64
	// Slot is its place, 1 … Slots; 0 while it waits. Slots is the limit of its
	// version: a place beyond it is none for it.
	Slot, Slots int32
	// Blocking: it failed, and holds the line up until it is retried with
	// success, or unblocked.
	Blocking bool
	// Superseded: it is being canceled for a newer one.
	Superseded bool
}

// Arrival says what becomes of a run that comes to a line.
type Arrival uint8

// The arrivals.
const (
	ArrivalHeld Arrival = iota // it has a place
	ArrivalWaits
	ArrivalDropped
)

// Superseded is a run that a newer one takes the place of.
type Superseded struct {
	Run id.UUID
	// Drop: it never began and is dropped; otherwise it is canceled.
	Drop bool
}

// MaxWaiting bounds a line: what comes then is refused, not queued.
const MaxWaiting = 100_000

// Full reports whether no more may wait.
func (l *Line) Full() bool { return len(l.Waiting)+l.Behind >= MaxWaiting }

// Blocker is the run that holds the line up; id.Nil: none does.
func (l *Line) Blocker() id.UUID {
	for i := range l.Held {
		if l.Held[i].Blocking {
			return l.Held[i].Run
		}
	}
	return id.Nil
}

// Arrive applies the policy of C-42 to a run that comes.
func (l *Line) Arrive(run id.UUID, limit int, policy plan.ConcurrencyPolicy) (Arrival, []Superseded) {
	s := Spot{Run: run, Ticket: l.Next, Slots: int32(limit)}
	if l.waiting() == 0 && l.seat(&s) {
		l.Next++
		return ArrivalHeld, nil
	}
	var gone []Superseded
	switch policy {
	case plan.PolicyDropNew:
		return ArrivalDropped, nil
	case plan.PolicyQueueFirst:
		if l.waiting() > 0 {
			return ArrivalDropped, nil
		}
	case plan.PolicyQueueLatest:
		for _, w := range l.Waiting {
			gone = append(gone, Superseded{Run: w.Run, Drop: true})
		}
		for _, g := range gone {
			l.remove(g.Run)
		}
	case plan.PolicyCancel:
		gone = l.supersede(limit)
	case plan.PolicyQueue, plan.PolicyStrict, "":
	}
	l.Next++
	l.Waiting = append(l.Waiting, s)
	if l.Behind > 0 { // it stands behind those that were not read
		l.Waiting = l.Waiting[:len(l.Waiting)-1]
		l.Behind++
	}
	l.touch(s)
	return ArrivalWaits, gone
}

// supersede makes room for one more: of all that go on or wait, only the newest
// limit-1 stay.
func (l *Line) supersede(limit int) []Superseded {
	var live []Spot
	for _, s := range l.Held {
		if !s.Superseded && !s.Blocking {
			live = append(live, s)
		}
	}
	live = append(live, l.Waiting...)
	slices.SortFunc(live, byTicket)
	var gone []Superseded
	for len(live) > 0 && len(live)+l.Behind >= limit { // those behind are the newest
		s := live[0]
		live = live[1:]
		gone = append(gone, Superseded{Run: s.Run})
		if s.Slot == 0 {
			l.remove(s.Run)
			continue
		}
		i := slices.IndexFunc(l.Held, func(h Spot) bool { return h.Run == s.Run })
		l.Held[i].Superseded = true
		l.touch(l.Held[i])
	}
	return gone
}

// Room reports whether Rejoin would give the run a place.
func (l *Line) Room(run id.UUID, limit int) bool {
	if slices.ContainsFunc(l.Held, func(h Spot) bool { return h.Run == run }) {
		return true
	}
	return l.waiting() == 0 && len(l.Held) < limit && l.Blocker() == id.Nil
}

// Rejoin is Arrive for a run that has ended and is to be retried: it has its
// place still, or takes one that is free. It does not wait.
func (l *Line) Rejoin(run id.UUID, limit int) bool {
	if i := slices.IndexFunc(l.Held, func(h Spot) bool { return h.Run == run }); i >= 0 {
		l.Held[i].Blocking, l.Held[i].Superseded = false, false
		l.touch(l.Held[i])
		return true
	}
	s := Spot{Run: run, Ticket: l.Next, Slots: int32(limit)}
	if l.waiting() > 0 || !l.seat(&s) {
		return false
	}
	l.Next++
	return true
}

// Leave takes a run out that has ended; with block it keeps its place and holds
// the others up. Waits says that it stands in line without a place, perhaps
// behind those that were read.
func (l *Line) Leave(run id.UUID, block, waits bool) {
	i := slices.IndexFunc(l.Held, func(h Spot) bool { return h.Run == run })
	if block && i >= 0 {
		l.Held[i].Blocking = true
		l.touch(l.Held[i])
		return
	}
	if !l.remove(run) && waits && l.Behind > 0 && !slices.Contains(l.Gone, run) {
		l.Behind--
		l.Gone = append(l.Gone, run)
	}
}

// Unblock lets those go that hold the line up; it reports whether there were
// any.
func (l *Line) Unblock() bool {
	var gone []id.UUID
	for _, h := range l.Held {
		if h.Blocking {
			gone = append(gone, h.Run)
		}
	}
	for _, run := range gone {
		l.remove(run)
	}
	return len(gone) > 0
}

// Fill gives the free places to those who wait, first come, first served, and
// returns who got one. More says that there may be others behind those that were
// read.
func (l *Line) Fill() (seated []id.UUID, more bool) {
	for len(l.Waiting) > 0 {
		s := l.Waiting[0]
		if !l.seat(&s) {
			return seated, false
		}
		l.Waiting = slices.Delete(l.Waiting, 0, 1)
		seated = append(seated, s.Run)
	}
	return seated, l.Behind > 0
}

// seat gives a run the lowest free place, if as many as its limit allows do not
// run already and nobody holds the line up.
func (l *Line) seat(s *Spot) bool {
	if len(l.Held) >= int(s.Slots) || l.Blocker() != id.Nil {
		return false
	}
	taken := make([]bool, len(l.Held)+2)
	for i := range l.Held {
		if n := l.Held[i].Slot; int(n) < len(taken) {
			taken[n] = true
		}
	}
	for s.Slot = 1; taken[s.Slot]; s.Slot++ {
	}
	l.Held = append(l.Held, *s)
	l.touch(*s)
	return true
}

// Length is how many wait.
func (l *Line) Length() int { return l.waiting() }

func (l *Line) waiting() int { return len(l.Waiting) + l.Behind }

func (l *Line) remove(run id.UUID) bool {
	is := func(s Spot) bool { return s.Run == run }
	before := len(l.Held) + len(l.Waiting)
	l.Held, l.Waiting = slices.DeleteFunc(l.Held, is), slices.DeleteFunc(l.Waiting, is)
	if len(l.Held)+len(l.Waiting) == before {
		return false
	}
	delete(l.Touched, run)
	l.Gone = append(l.Gone, run)
	return true
}

func (l *Line) touch(s Spot) {
	if l.Touched == nil {
		l.Touched = map[id.UUID]Spot{}
	}
	l.Touched[s.Run] = s
}

func byTicket(x, y Spot) int {
	switch {
	case x.Ticket < y.Ticket:
		return -1
	case x.Ticket > y.Ticket:
		return 1
	}
	return bytes.Compare(x.Run[:], y.Run[:])
}
