// Package measure reads what a benchmark reports: latencies, the CPU of
// processes, and PostgreSQL's own counters. It starts nothing and judges
// nothing.
package measure

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histogram holds durations between 1 µs and 10 minutes with three digits. It is
// safe for concurrent use. Whoever records must measure from when something was
// due, not from when it was begun: then nothing that a slow system delays is
// left out.
type Histogram struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

// NewHistogram makes an empty one.
func NewHistogram() *Histogram {
	return &Histogram{h: hdrhistogram.New(1, (10 * time.Minute).Microseconds(), 3)}
}

// Record adds a duration; what is out of range counts as the nearest bound.
func (h *Histogram) Record(d time.Duration) {
	us := min(max(1, d.Microseconds()), h.h.HighestTrackableValue())
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.h.RecordValue(us) // within the bounds
}

// Latency is what a report says of a histogram, in microseconds.
type Latency struct {
	Count int64 `json:"count"`
	Mean  int64 `json:"mean_us"`
	P50   int64 `json:"p50_us"`
	P90   int64 `json:"p90_us"`
	P95   int64 `json:"p95_us"`
	P99   int64 `json:"p99_us"`
	P999  int64 `json:"p999_us"`
	Max   int64 `json:"max_us"`
}

// Latency sums it up.
func (h *Histogram) Latency() Latency {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.h.ValueAtQuantile
	return Latency{
		Count: h.h.TotalCount(), Mean: int64(h.h.Mean()), P50: at(50), P90: at(90), P95: at(95), P99: at(99), P999: at(99.9), Max: h.h.Max(),
	}
}
