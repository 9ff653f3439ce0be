package choose

import (
	"crypto/sha256"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Bucket is how full the bucket of a rate was at a moment.
type Bucket struct {
	Units  int64 // in Per
	Per    time.Duration
	Tokens float64
	At     time.Time
}

// Burst is how full it can be: a tenth of what the rate gives in its time, so
// that no stretch of that length gives much more.
func (b Bucket) Burst() float64 { return max(1, float64(b.Units)/10) }

// Fill is how full it is now.
func (b Bucket) Fill(now time.Time) float64 {
	passed := max(0, now.Sub(b.At))
	return min(b.Burst(), b.Tokens+float64(passed)*float64(b.Units)/float64(b.Per))
}

// DryFor is how long until it lets somebody pass who wants so many units; zero:
// now.
func (b Bucket) DryFor(units int32, now time.Time) time.Duration {
	short := min(float64(units), b.Burst()) - b.Fill(now)
	if short <= 0 {
		return 0
	}
	return time.Duration(short*float64(b.Per)/float64(b.Units)) + time.Millisecond
}

// LabelLane is the lane of a label's value: its digest, as values are of any
// length.
func LabelLane(label, value string) id.UUID {
	sum := sha256.Sum256([]byte(label + "=" + value))
	return id.UUID(sum[:len(id.UUID{})])
}
