package cli

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/datastream"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// shownValue is a param, an output or an artifact on its way to the reader.
type shownValue struct {
	kind    datastream.ValueKind
	task    string
	signal  string // that brought it, if one did
	leftAs  string // the name that a nested pipeline's run sealed it under
	attempt uint32
	name    string
	typ     string
	size    uint64
	digest  string

	// Exactly one of value and sealed is set: the JSON, or the envelope.
	value  json.RawMessage
	sealed []byte
}

// valuesOf brings a run's values into one list, in the service's order.
func valuesOf(res *runv1.GetRunValuesResponse) []*shownValue {
	var out []*shownValue
	add := func(kind datastream.ValueKind, task, signal string, attempt uint32, values []*runv1.Value) {
		for _, x := range values {
			s := &shownValue{kind: kind, task: task, signal: signal, attempt: attempt, name: x.GetName(), typ: x.GetType(), size: uint64(x.GetSize())}
			if x.GetSealed() != nil {
				s.sealed, s.leftAs = x.GetSealed(), x.GetSealedAs()
			} else {
				s.value = x.GetOpenJson()
			}
			out = append(out, s)
		}
	}
	add(datastream.KindParam, "", "", 0, res.GetParams())
	for _, t := range res.GetTasks() {
		if m := t.GetMessage(); m != nil {
			add(datastream.KindMessage, t.GetTask(), "", 0, []*runv1.Value{m})
		}
		add(datastream.KindOutput, t.GetTask(), t.GetSignal(), t.GetAttempt(), t.GetOutputs())
		for _, x := range t.GetArtifacts() {
			out = append(out, &shownValue{
				kind: datastream.KindArtifact, task: t.GetTask(), attempt: t.GetAttempt(), name: x.GetName(),
				typ: x.GetType(), size: x.GetSize(), digest: x.GetDigest(), sealed: x.GetSealedUri(),
			})
		}
	}
	return out
}

// errorsOf lists the error texts that an agent opened: the service's answer
// does not have them.
func errorsOf(opened *datastream.Values) []*shownValue {
	var out []*shownValue
	for _, task := range slices.Sorted(maps.Keys(opened.Tasks)) {
		texts := opened.Tasks[task].Errors
		for _, number := range slices.Sorted(maps.Keys(texts)) {
			out = append(out, &shownValue{
				kind: datastream.KindError, task: task, name: number, typ: "error",
				value: texts[number], size: uint64(len(texts[number])),
			})
		}
	}
	return out
}

func anySealed(shown []*shownValue) bool {
	for _, s := range shown {
		if s.sealed != nil {
			return true
		}
	}
	return false
}

// path is the value's name as expressions of a pipeline write it.
func (s *shownValue) path() string {
	switch s.kind {
	case datastream.KindParam:
		return "params." + s.name
	case datastream.KindOutput:
		return "tasks." + s.task + ".outputs." + s.name
	case datastream.KindArtifact:
		return "tasks." + s.task + ".artifacts." + s.name
	case datastream.KindError:
		return "tasks." + s.task + ".errors." + s.name
	case datastream.KindMessage:
		return "tasks." + s.task + ".message"
	}
	return s.name
}

// sealedAs is the name that the envelope is bound to.
func (s *shownValue) sealedAs() string {
	if s.kind == datastream.KindParam {
		return seal.ParamName(s.name)
	}
	if s.kind == datastream.KindMessage {
		return seal.MessageName(s.task)
	}
	if seal.IsLeft(s.leftAs) {
		return s.leftAs
	}
	if s.signal != "" {
		return seal.SignalName(s.signal)
	}
	return seal.OutputName(s.task, s.name)
}

func (s *shownValue) object() output.Object {
	o := output.Object{{Name: "name", Value: s.path()}, {Name: "type", Value: s.typ}}
	if s.attempt != 0 {
		o = append(o, output.Field{Name: "attempt", Value: s.attempt})
	}
	o = append(o, output.Field{Name: "sealed", Value: s.sealed != nil})
	if s.sealed != nil || len(s.value) == 0 {
		o = append(o, output.Field{Name: "value", Value: nil})
	} else {
		o = append(o, output.Field{Name: "value", Value: s.value})
	}
	o = append(o, output.Field{Name: "size", Value: s.size})
	if s.kind == datastream.KindArtifact {
		o = append(o, output.Field{Name: "digest", Value: s.digest})
	}
	return o
}

// cell shows the value in one line, cut where a table would break.
func (s *shownValue) cell(whole bool) output.Cell {
	if s.sealed != nil {
		return output.Cell{Text: "sealed", Tone: output.Faint}
	}
	text := strings.ReplaceAll(plan.Text(s.value), "\n", "⏎")
	const most = 60
	if runes := []rune(text); !whole && len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return output.Text(text)
}
