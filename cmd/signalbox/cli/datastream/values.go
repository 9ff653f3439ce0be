package datastream

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1/relayv1connect"
)

// ValueKind tells params, outputs and artifacts apart.
type ValueKind int

// The kinds of values.
const (
	KindParam ValueKind = iota
	KindOutput
	KindArtifact
	KindError
	KindMessage // of an approval; it has no name
)

// Values is the document that an agent makes of a run's values, opened. An
// artifact's value is its URI.
type Values struct {
	Params map[string]json.RawMessage `json:"params"`
	Tasks  map[string]TaskValues      `json:"tasks"`
}

// TaskValues are the opened values of one task.
type TaskValues struct {
	Outputs   map[string]json.RawMessage `json:"outputs"`
	Artifacts map[string]json.RawMessage `json:"artifacts"`
	// Errors are the error texts of attempts, by their numbers.
	Errors map[string]json.RawMessage `json:"errors"`
	// Message is what an approval asks.
	Message json.RawMessage `json:"message"`
}

// maxValues bounds the document: an agent that is not one could send for ever.
const maxValues = 64 << 20

// ReadValues reads the values of a run.
func ReadValues(ctx context.Context, relay relayv1connect.RelayServiceClient, random io.Reader, src Source) (*Values, error) {
	var doc []byte
	err := Read(ctx, relay, random, src, func(payload []byte) error {
		if len(doc)+len(payload) > maxValues {
			return fmt.Errorf("the run's values have more than %d bytes", maxValues)
		}
		doc = append(doc, payload...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var v Values
	if err := json.Unmarshal(doc, &v); err != nil {
		return nil, fmt.Errorf("read the values: %w", err)
	}
	return &v, nil
}

// Find returns a value of the document.
func (v *Values) Find(kind ValueKind, task, name string) (json.RawMessage, bool) {
	var from map[string]json.RawMessage
	switch kind {
	case KindParam:
		from = v.Params
	case KindOutput:
		from = v.Tasks[task].Outputs
	case KindArtifact:
		from = v.Tasks[task].Artifacts
	case KindError:
		from = v.Tasks[task].Errors
	case KindMessage:
		raw := v.Tasks[task].Message
		return raw, raw != nil
	}
	raw, ok := from[name]
	return raw, ok
}
