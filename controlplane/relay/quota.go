package relay

import (
	"sync"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// quota counts the bytes that organizations read in an hour. The hour begins
// with the first byte.
type quota struct {
	limit int64
	now   func() time.Time

	mu    sync.Mutex
	hours map[id.UUID]*hour
}

type hour struct {
	since time.Time
	bytes int64
}

func newQuota(limit int64, now func() time.Time) *quota {
	return &quota{limit: limit, now: now, hours: map[id.UUID]*hour{}}
}

// spend counts bytes, unless the hour's are used up. With none it only asks.
// Errors: RATE_LIMITED.
func (q *quota) spend(org id.UUID, bytes int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	h := q.hours[org]
	if h == nil || now.Sub(h.since) >= time.Hour {
		h = &hour{since: now}
	}
	if h.bytes >= q.limit {
		return errTooManyBytes(q.limit, h.since.Add(time.Hour))
	}
	if bytes > 0 {
		h.bytes += int64(bytes)
		q.hours[org] = h
	}
	return nil
}

// sweep forgets the hours that are over.
func (q *quota) sweep() {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	for org, h := range q.hours {
		if now.Sub(h.since) >= time.Hour {
			delete(q.hours, org)
		}
	}
}
