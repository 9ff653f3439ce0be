package seal

import (
	"encoding/binary"
	"strconv"

	"github.com/signalboxhq/signalbox/proto/id"
)

// MaxPayload is the most that one frame carries, in bytes: all values of a task.
const MaxPayload = 256 << 10

const (
	relayLabel = "signalbox relay v1"

	frameFirst = 1 // followed by enc
	frameNext  = 2

	payloadMore  = 0
	payloadFinal = 1
)

// ValuesOfRun is the What of a stream of all values of a run.
const ValuesOfRun = "values"

// LogsOf is the What of a stream of one attempt's log, as the reader asked for
// it: attempt 0 is the last one, whichever that turns out to be.
func LogsOf(task string, attempt uint32) string {
	return "logs|" + task + "|" + strconv.FormatUint(uint64(attempt), 10)
}

// Stream is what a sealed stream is bound to. What says which data of the run it
// carries: ValuesOfRun or a text of LogsOf.
type Stream struct {
	Org  id.UUID
	Run  id.UUID
	What string
}

// info binds the HPKE context to the stream. The first three parts cannot
// contain the separator, so no two streams give the same bytes.
func (s Stream) info() []byte {
	return []byte(relayLabel + "|" + id.Format(id.Org, s.Org) + "|" + id.Format(id.Run, s.Run) + "|" + s.What)
}

// frameData is the associated data of the frame with that number.
func frameData(seq uint64) []byte {
	return binary.BigEndian.AppendUint64(nil, seq)
}
