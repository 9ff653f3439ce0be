package advance

import (
	"sync/atomic"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
)

// request is a command in the queue, with what its caller looked up beforehand
// so that the batch need not.
type request struct {
	cmd     any
	version *version // StartRun
	run     id.UUID  // StartRun: the id its run will have
	session *session // Poll, Report: nil if it has none that lives
	// What it weighs in a batch: rows are an estimate.
	rows, bytes int
	items       int32 // of a map, that the batch has room for; see fit
	// Of wakes about children: what is started, or why not; how one ended, and
	// what it left.
	start   *StartRun
	refused string
	outcome engine.RunState
	left    []byte
	tries   int // batches that were lost before they wrote anything

	done     chan result
	answered atomic.Bool

	// calm: a poll in no hurry, because the one before it found nothing.
	calm bool

	// over: a poll that no longer waits; guarded by the park.
	over bool

	// What the batch under way found; only its loop touches it.
	silent bool // a poll that must not be given work: over, or followed by another
	status []ReportStatus
	err    error
	value  any
}

type result struct {
	value any
	err   error
}

// reasonUnavailable is the reason of everything that may simply be repeated.
const reasonUnavailable fault.Reason = "UNAVAILABLE"

func errUnavailable(cause error) error {
	return fault.Unavailable(reasonUnavailable, "the request was not recorded, or is not known to be; send it again").Because(cause)
}

func newRequest(cmd any) *request {
	r := &request{cmd: cmd, rows: 1, done: make(chan result, 1)}
	switch c := cmd.(type) {
	case StartRun:
		r.bytes = len(c.Params)
	case SignalRun:
		r.bytes = len(c.Body)
	case Report:
		r.rows += 3 * len(c.Reports) // the entry, the lease, the run
		for i := range c.Reports {
			r.bytes += len(c.Reports[i].Body)
		}
	}
	return r
}

// answer sends the answer; the first one counts.
func (r *request) answer(value any, err error) {
	if r.answered.CompareAndSwap(false, true) {
		r.done <- result{value, err}
	}
}

func (r *request) org() id.UUID {
	switch c := r.cmd.(type) {
	case StartRun:
		return c.Org
	case Poll:
		return c.Org
	case Report:
		return c.Org
	case CancelRun:
		return c.Org
	case RetryRun:
		return c.Org
	case PauseRun:
		return c.Org
	case ResumeRun:
		return c.Org
	case SignalRun:
		return c.Org
	case Vote:
		return c.Org
	case Due:
		return c.Org
	case Lose:
		return c.Org
	case EndSession:
		return c.Org
	case Wake:
		return c.Org
	case UnblockLine:
		return c.Org
	case look:
		return c.org
	}
	return id.Nil
}
