package relay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/replica"
	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

const (
	// forwardPath is where the internal listener takes frames.
	forwardPath = "/relay/frames"

	// A frame has at most seal.MaxPayload, a key and a tag.
	maxCiphertext = seal.MaxPayload + 1<<10
	maxDelivery   = 1 << 20
	maxFrames     = 1000
)

// streamID is a stream's id as agents get it: it names the replica that holds
// the reader.
func streamID(home, sid id.UUID) string { return home.String() + "." + id.Format(id.Stream, sid) }

func parseStreamID(text string) (home, sid id.UUID, err error) {
	replicaText, streamText, _ := strings.Cut(text, ".")
	if home, err = uuid.Parse(replicaText); err != nil {
		return home, sid, err
	}
	sid, err = id.Parse(id.Stream, streamText)
	return home, sid, err
}

// Deliver passes frames on to their reader, here or at another replica. It waits
// a few seconds for a slow reader. The same frames may always be delivered
// again. Errors: STREAM_CLOSED; RATE_LIMITED and UNAVAILABLE (deliver again);
// INVALID_ARGUMENT.
func (r *Relay) Deliver(ctx context.Context, org, agent id.UUID, stream string, frames []*relayv1.Frame) error {
	home, sid, err := parseStreamID(stream)
	if err != nil {
		return errStreamClosed.Because(err)
	}
	if err := checkFrames(frames); err != nil {
		return err
	}
	if home == r.replica.ID() {
		return r.deliver(ctx, org, agent, sid, frames)
	}
	return r.forward(ctx, home, org, agent, &agentv1.SendFramesRequest{StreamId: stream, Frames: frames})
}

func (r *Relay) deliver(ctx context.Context, org, agent, sid id.UUID, frames []*relayv1.Frame) error {
	s := r.hub.find(org, agent, sid)
	if s == nil {
		return errStreamClosed
	}
	return s.push(ctx, frames)
}

func checkFrames(frames []*relayv1.Frame) error {
	if len(frames) > maxFrames {
		return errFrames("%d frames at once are over the limit of %d", len(frames), maxFrames)
	}
	total := 0
	for _, f := range frames {
		n := len(f.GetCiphertext())
		if n > maxCiphertext {
			return errFrames("frame %d has %d bytes, over the limit of %d", f.GetSeq(), n, maxCiphertext)
		}
		total += n
	}
	if total > maxDelivery {
		return errFrames("frames of %d bytes at once are over the limit of %d", total, maxDelivery)
	}
	return nil
}

// forward has the replica that holds the reader deliver the frames.
func (r *Relay) forward(ctx context.Context, home, org, agent id.UUID, req *agentv1.SendFramesRequest) error {
	body := append(append(make([]byte, 0, 32+proto.Size(req)), org[:]...), agent[:]...)
	body, err := proto.MarshalOptions{}.MarshalAppend(body, req)
	if err != nil {
		return fmt.Errorf("encode frames: %w", err)
	}
	// The other replica waits for room; the rest is for the way there.
	ctx, cancel := context.WithTimeout(ctx, r.limits.RoomWithin+5*time.Second)
	defer cancel()
	err = r.replica.Call(ctx, home, forwardPath, body)
	if errors.Is(err, replica.ErrGone) {
		return errStreamClosed.Because(err)
	}
	if _, ok := fault.As(err); err == nil || ok {
		return err
	}
	return errOutOfReach.Because(err)
}

// receive delivers the frames that another replica got. It never forwards them
// any further.
func (r *Relay) receive(ctx context.Context, body []byte) error {
	var org, agent id.UUID
	if len(body) < len(org)+len(agent) {
		return errors.New("forwarded frames are cut")
	}
	copy(org[:], body)
	copy(agent[:], body[len(org):])
	var req agentv1.SendFramesRequest
	if err := proto.Unmarshal(body[len(org)+len(agent):], &req); err != nil {
		return fmt.Errorf("decode forwarded frames: %w", err)
	}
	_, sid, err := parseStreamID(req.GetStreamId())
	if err != nil {
		return errStreamClosed.Because(err)
	}
	return r.deliver(ctx, org, agent, sid, req.GetFrames())
}
