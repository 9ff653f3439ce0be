package relay

import (
	"math"

	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// publicKeySize is that of an X25519 key, in bytes.
const publicKeySize = 32

// question is what a reader asks, checked in itself.
type question struct {
	run       id.UUID
	kind      relayv1.DataKind
	task      string
	attempt   uint32 // 0: the last one
	publicKey []byte
	offset    uint64
	follow    bool
}

func parseQuestion(req *relayv1.OpenDataStreamRequest) (question, error) {
	run, err := id.Parse(id.Run, req.GetRunId())
	if err != nil {
		return question{}, fault.NotFound("run", req.GetRunId())
	}
	if n := len(req.GetPublicKey()); n != publicKeySize {
		return question{}, fault.Invalid("INVALID_ARGUMENT", "public_key must be the %d bytes of an X25519 key, not %d", publicKeySize, n)
	}
	q := question{run: run, kind: req.GetKind(), publicKey: req.GetPublicKey()}
	switch q.kind {
	case relayv1.DataKind_DATA_KIND_LOGS:
		q.task, q.attempt, q.offset, q.follow = req.GetTask(), req.GetAttempt(), req.GetOffset(), req.GetFollow()
		if q.task == "" {
			return q, fault.Invalid("INVALID_ARGUMENT", "task is missing: a log is that of one task's attempt")
		}
		if q.attempt > math.MaxInt32 {
			return q, errNoAttempt(q.task, q.attempt)
		}
		return q, nil
	case relayv1.DataKind_DATA_KIND_VALUES:
		return q, nil
	case relayv1.DataKind_DATA_KIND_UNSPECIFIED:
	}
	return q, fault.Invalid("INVALID_ARGUMENT", "kind must be DATA_KIND_LOGS or DATA_KIND_VALUES")
}

// forAgent is the question as the agent gets it. The attempt stays as the reader
// gave it, because both bind the stream's keys to it (seal.LogsOf).
func (q question) forAgent(stream, grant string) *agentv1.DataRequest {
	return &agentv1.DataRequest{
		StreamId: stream, Grant: grant, RunId: id.Format(id.Run, q.run), Kind: q.kind, Task: q.task, Attempt: q.attempt,
		PublicKey: q.publicKey, Offset: q.offset, Follow: q.follow,
	}
}
