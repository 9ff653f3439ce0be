package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/logs"
)

// quiet is how long a followed log may say nothing until the agent says that it
// is still there. A relay takes a minute of silence for the end.
const quiet = 15 * time.Second

// line is a piece of a log as its reader gets it, one JSON object a line.
type line struct {
	Offset int64       `json:"offset"`
	Time   time.Time   `json:"time"`
	Stream logs.Stream `json:"stream"`
	Text   string      `json:"text"`
}

func (a *Answerer) sendLog(ctx context.Context, out *stream, request link.DataRequest) error {
	reader, err := a.openLog(request)
	if errors.Is(err, logs.ErrGone) {
		return out.send(ctx, encode([]logs.Record{{
			Time: time.Now(), Stream: logs.Agent, Text: "this agent has no log of the attempt: it never began here, or its retention is over\n",
		}}), true)
	}
	if err != nil {
		return err
	}
	for {
		records, err := a.next(ctx, out, reader, request.Follow)
		if errors.Is(err, io.EOF) {
			return out.send(ctx, nil, true)
		}
		if err != nil {
			return err
		}
		if err := out.send(ctx, encode(records), false); err != nil {
			return err
		}
	}
}

func (a *Answerer) openLog(request link.DataRequest) (*logs.Reader, error) {
	key := logs.Key{Run: request.Run, Task: request.Task, Attempt: request.Attempt}
	if key.Attempt == 0 {
		last, err := a.logs.LastAttempt(request.Run, request.Task)
		if err != nil {
			return nil, err
		}
		key.Attempt = last
	}
	return a.logs.Read(key, int64(min(request.Offset, 1<<62)))
}

// next waits for records, and says now and then that it does.
func (a *Answerer) next(ctx context.Context, out *stream, reader *logs.Reader, follow bool) ([]logs.Record, error) {
	records, err := reader.Next(ctx, false)
	if !follow || !errors.Is(err, io.EOF) {
		return records, err
	}
	// The reader should not wonder whether there is an agent at all.
	if err := out.alive(ctx); err != nil {
		return nil, err
	}
	for {
		patience, cancel := context.WithTimeout(ctx, quiet)
		records, err := reader.Next(patience, true)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return records, err
		}
		if err := out.alive(ctx); err != nil {
			return nil, err
		}
	}
}

func encode(records []logs.Record) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out) // ends each value with a newline
	encoder.SetEscapeHTML(false)
	for _, r := range records {
		if err := encoder.Encode(line{Offset: r.Offset, Time: r.Time, Stream: r.Stream, Text: r.Text}); err != nil {
			panic(fmt.Sprintf("relay: a log line has no JSON: %v", err)) // cannot be: it is text, numbers and a time
		}
	}
	return out.Bytes()
}
