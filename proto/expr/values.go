package expr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// Values is what an evaluation reads. Each value is canonical JSON of its
// declared type. One that is missing is an error only where it is read, and
// then names it; has() asks first.
type Values struct {
	Params    map[string]json.RawMessage
	Outputs   map[plan.OutputRef]json.RawMessage
	Artifacts map[ArtifactRef]string // URIs
	States    map[string]string      // how tasks ended
	Item      json.RawMessage
	Run       Run
}

// Run is what expressions know of their run.
type Run struct {
	ID       string
	Number   int64
	Pipeline string
	Version  string
	URL      string
	Outcome  string // exit handlers only
}

// activation gives values to CEL as it asks for them.
type activation struct {
	found   map[string]name
	values  *Values
	decoded map[string]any
	err     error // the first value that was missing or is not of its type
}

func isPresence(variable string) bool { return strings.HasPrefix(variable, presence) }

// ResolveName implements cel.Activation.
func (a *activation) ResolveName(variable string) (any, bool) {
	if value, ok := a.decoded[variable]; ok {
		return value, true
	}
	one, ok := a.found[variable]
	if !ok {
		return nil, false
	}
	value, there, err := a.values.get(one)
	switch {
	case isPresence(variable):
		value = there
	case err != nil:
		a.fail(fmt.Errorf("`%s`: %w", one, err))
		return nil, false
	case !there:
		a.fail(fmt.Errorf("there is no `%s`", one))
		return nil, false
	}
	a.decoded[variable] = value
	return value, true
}

func (a *activation) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

// Parent implements cel.Activation.
func (a *activation) Parent() cel.Activation { return nil }

// get finds and decodes a value; there is false if it is missing.
func (v *Values) get(one name) (value any, there bool, err error) {
	switch one.kind() {
	case rootRun:
		return v.Run.field(one.path[1])
	case underArtifacts:
		uri, ok := v.Artifacts[ArtifactRef{Task: one.task, Artifact: one.last()}]
		return uri, ok, nil
	case underState:
		state := v.States[one.task]
		return state, state != "", nil
	}
	raw := v.raw(one)
	if len(raw) == 0 {
		return nil, false, nil
	}
	value, err = decode(one.declared, raw)
	return value, true, err
}

// raw is a param's, an output's or the item's JSON; empty for all else, and for
// what is missing.
func (v *Values) raw(one name) json.RawMessage {
	switch one.kind() {
	case rootParams:
		return v.Params[one.path[1]]
	case rootItem:
		return v.Item
	case underOutputs:
		return v.Outputs[plan.OutputRef{Task: one.task, Output: one.last()}]
	}
	return nil
}

func (r Run) field(field string) (value any, there bool, err error) {
	text := map[string]string{
		"id": r.ID, "pipeline": r.Pipeline, "version": r.Version, "url": r.URL, "outcome": r.Outcome,
	}
	if field == "number" {
		return r.Number, true, nil
	}
	return text[field], text[field] != "", nil
}

// decode reads canonical JSON as what CEL computes with.
func decode(declared plan.Type, raw json.RawMessage) (any, error) {
	declared, mayBeNull := declared.Present()
	if mayBeNull && string(raw) == "null" {
		return nil, nil //nolint:nilnil // it is CEL's null
	}
	if elem, ok := declared.Elem(); ok {
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil || list == nil {
			return nil, fmt.Errorf("the value is not %s", article(declared))
		}
		values := make([]any, len(list))
		for i := range list {
			value, err := decode(elem, list[i])
			if err != nil {
				return nil, err
			}
			values[i] = value
		}
		return values, nil
	}
	read, ok := decoders[declared]
	if !ok {
		read = decodeScalar[string]
	}
	value, err := read(raw)
	if err != nil {
		return nil, fmt.Errorf("the value is not %s", article(declared))
	}
	return value, nil
}

// decoders read scalars; all others are strings.
var decoders = map[plan.Type]func(json.RawMessage) (any, error){
	plan.TypeInt:      decodeScalar[int64],
	plan.TypeFloat:    decodeScalar[float64],
	plan.TypeBool:     decodeScalar[bool],
	plan.TypeDuration: decodeDuration,
	plan.TypeBytes:    decodeBytes,
	plan.TypeJSON:     decodeJSON,
}

var errNull = errors.New("null")

// decodeScalar reads one JSON scalar; null is none.
func decodeScalar[T any](raw json.RawMessage) (any, error) {
	var value *T
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	if value == nil {
		return nil, errNull
	}
	return *value, nil
}

// decodeBytes reads base64; Go's decoder of JSON does.
func decodeBytes(raw json.RawMessage) (any, error) {
	return decodeScalar[[]byte](raw)
}

func decodeDuration(raw json.RawMessage) (any, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	ms, err := plan.ParseDuration(text)
	if err != nil {
		return nil, err
	}
	return time.Duration(ms) * time.Millisecond, nil
}

// decodeJSON reads any JSON; whole numbers are ints.
func decodeJSON(raw json.RawMessage) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return numbers(value)
}

// numbers replaces json.Number within a value, which is changed in place.
func numbers(value any) (any, error) {
	var err error
	switch value := value.(type) {
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole, nil
		}
		return value.Float64()
	case []any:
		for i := range value {
			if value[i], err = numbers(value[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for key := range value {
			if value[key], err = numbers(value[key]); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}
