package seal

import (
	"encoding/binary"

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

// Stream is what a sealed stream is bound to. What says which data of the run it
// carries, in a spelling that both ends agree on: "logs|train|2".
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
