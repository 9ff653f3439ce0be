package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// maxBackoff bounds every wait, so that no factor overflows.
const maxBackoff plan.Millis = 30 * 24 * 3600 * 1000

// Backoff is the wait before the k-th retry that the user's budget pays for
// (k = 1, 2, …), before jitter: the k-th of the fixed steps, the last one
// repeating, or min(cap, base·factor^(k-1)). A factor of zero means 1, a cap of
// zero means none.
func Backoff(r *plan.Retry, k int) plan.Millis {
	if n := len(r.Steps); n > 0 {
		return min(max(r.Steps[min(max(k, 1), n)-1], 0), maxBackoff)
	}
	limit := maxBackoff
	if r.Cap > 0 {
		limit = min(limit, r.Cap)
	}
	d := min(max(r.Base, 0), limit)
	if r.FactorMilli <= 1000 { // it never grows
		return d
	}
	for i := 1; i < k && d > 0 && d < limit; i++ {
		d = min(d*plan.Millis(r.FactorMilli)/1000, limit)
	}
	return d
}

// Jitter spreads a wait by the fraction u of 2^64: none → d, equal → d/2 + u·d/2,
// full → u·d.
func Jitter(d plan.Millis, j plan.Jitter, u uint64) plan.Millis {
	switch j {
	case plan.JitterEqual:
		return d - d/2 + fraction(d/2, u)
	case plan.JitterFull:
		return fraction(d, u)
	case plan.JitterNone, "":
	}
	return d
}

func fraction(d plan.Millis, u uint64) plan.Millis {
	hi, _ := bits.Mul64(uint64(d), u)
	return plan.Millis(hi)
}

// Spread is the reproducible chance of a retry: the first 64 bits of
// sha256(run id ‖ task name ‖ attempt as 4 bytes), read as a fraction of 2^64.
// The run is part of it, so that a thousand runs of one pipeline which failed
// together do not come back together.
func Spread(run id.UUID, task string, attempt int32) uint64 {
	b := make([]byte, 0, 64) // stays on the stack for names of usual length
	b = append(b, run[:]...)
	b = append(b, task...)
	b = binary.BigEndian.AppendUint32(b, uint32(attempt))
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:8])
}
