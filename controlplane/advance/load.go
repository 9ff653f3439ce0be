package advance

import (
	"math"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// load is what an organization asked for in this second and in the one before,
// in rows.
type load struct {
	second      int64
	rows, early int
}

// Whoever asks for less than lightLoad is not to wait for those who ask for more:
// while there is one, all of these together have fullShare of a batch, two or
// three milliseconds. Who comes waits for the batch under way and for his own.
const (
	lightLoad = 2000
	fullShare = 120
)

// at is the load as it stands in a second.
func (l load) at(second int64) load {
	switch second - l.second {
	case 0:
		return l
	case 1:
		return load{second: second, early: l.rows}
	}
	return load{second: second}
}

// note counts what an organization asks for. An agent that asks for work waits
// for nobody.
func (q *queue) note(org id.UUID, r *request, now time.Time) {
	switch r.cmd.(type) {
	case Poll, look, EndSession:
		return
	}
	evict(q.loads, maxPools)
	l := q.loads[org].at(now.Unix())
	l.rows += r.rows
	q.loads[org] = l
}

// shareFor is how long a share holds: it takes a look at all loads.
const shareFor = 50 * time.Millisecond

// heavy reports whether an organization asks for much.
func (q *queue) heavy(org id.UUID, now time.Time) bool {
	l := q.loads[org].at(now.Unix())
	return l.rows+l.early >= lightLoad
}

// share is how much of the next batch those who ask for much may have.
func (q *queue) share(now time.Time) int {
	if now.Sub(q.sharedAt) >= shareFor {
		q.shared, q.sharedAt = q.weigh(now), now
	}
	return q.shared
}

func (q *queue) weigh(now time.Time) int {
	light, heavy := false, false
	for org, l := range q.loads {
		switch l = l.at(now.Unix()); {
		case l.rows+l.early == 0:
			delete(q.loads, org)
		case l.rows+l.early < lightLoad:
			light = true
		default:
			heavy = true
		}
	}
	if light && heavy {
		return fullShare
	}
	return math.MaxInt
}
