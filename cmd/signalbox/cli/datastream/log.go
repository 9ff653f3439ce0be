package datastream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1/relayv1connect"
)

// Line is one line of an attempt's log.
type Line struct {
	// Offset is where the line begins in the log, in bytes.
	Offset uint64    `json:"offset"`
	Time   time.Time `json:"time"`
	// Stream is stdout, stderr, or the agent's own word.
	Stream string `json:"stream"`
	Text   string `json:"text"`
}

// ReadLog reads the lines of a log, in order. Frames may end anywhere, so lines
// are put together again here.
func ReadLog(ctx context.Context, relay relayv1connect.RelayServiceClient, random io.Reader, src Source, each func(Line) error) error {
	var rest []byte
	return Read(ctx, relay, random, src, func(payload []byte) error {
		rest = append(rest, payload...)
		for {
			raw, after, whole := bytes.Cut(rest, []byte{'\n'})
			if !whole {
				return nil
			}
			rest = after
			if len(bytes.TrimSpace(raw)) == 0 {
				continue
			}
			var line Line
			if err := json.Unmarshal(raw, &line); err != nil {
				return fmt.Errorf("read the log: %w", err)
			}
			if err := each(line); err != nil {
				return err
			}
		}
	})
}
