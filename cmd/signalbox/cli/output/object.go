package output

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Object is a JSON object that keeps the order of its fields: the API's.
type Object []Field

// Field is one member of an Object. Value is nil, a string, a bool, a
// json.Number, a json.RawMessage, an Object or a []any of these.
type Field struct {
	Name  string
	Value any
}

// Of is a message as the API's JSON shows it, with every field present, and
// with three deviations that make it usable without a schema:
//
//   - 64-bit integers are numbers, not strings;
//   - bytes that hold JSON or text stand as JSON or text, not in base64;
//   - beside each amount of money stands the same as a decimal string in US
//     dollars: amountUsd beside amountNanoUsd, totalUsd beside totalCents.
func Of(m proto.Message) Object { return objectOf(m.ProtoReflect()) }

func objectOf(m protoreflect.Message) Object {
	fields := m.Descriptor().Fields()
	out := make(Object, 0, fields.Len())
	for i := range fields.Len() {
		f := fields.Get(i)
		if !m.Has(f) && (f.ContainingOneof() != nil || f.HasOptionalKeyword()) {
			continue // an alternative that was not taken is not an empty one
		}
		out = append(out, Field{f.JSONName(), valueOf(m, f)})
		if name, text, ok := dollars(f, m.Get(f)); ok {
			out = append(out, Field{name, text})
		}
	}
	return out
}

func valueOf(m protoreflect.Message, f protoreflect.FieldDescriptor) any {
	v := m.Get(f)
	switch {
	case f.IsMap():
		return mapOf(f, v.Map())
	case f.IsList():
		list := make([]any, 0, v.List().Len())
		for i := range v.List().Len() {
			list = append(list, singular(f, v.List().Get(i)))
		}
		return list
	case f.Message() != nil && !m.Has(f):
		return nil
	}
	return singular(f, v)
}

func mapOf(f protoreflect.FieldDescriptor, m protoreflect.Map) Object {
	out := make(Object, 0, m.Len())
	m.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		out = append(out, Field{k.String(), singular(f.MapValue(), v)})
		return true
	})
	slices.SortFunc(out, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func singular(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch f.Kind() { //nolint:exhaustive // all other kinds are numbers
	case protoreflect.BoolKind:
		return v.Bool()
	case protoreflect.StringKind:
		return v.String()
	case protoreflect.BytesKind:
		return bytesOf(f, v.Bytes())
	case protoreflect.EnumKind:
		if d := f.Enum().Values().ByNumber(v.Enum()); d != nil {
			return string(d.Name())
		}
		return json.Number(strconv.Itoa(int(v.Enum())))
	case protoreflect.MessageKind, protoreflect.GroupKind:
		if t, ok := v.Message().Interface().(*timestamppb.Timestamp); ok {
			return Time(t.AsTime())
		}
		return objectOf(v.Message())
	}
	return json.Number(fmt.Sprint(v.Interface()))
}

// textBytes names the fields of type bytes that hold text, and whether it is JSON.
var textBytes = map[protoreflect.FullName]bool{
	"signalbox.run.v1.Value.open_json":                true,
	"signalbox.pipeline.v1.GetVersionResponse.plan":   true,
	"signalbox.pipeline.v1.GetVersionResponse.source": false,
}

func bytesOf(f protoreflect.FieldDescriptor, b []byte) any {
	isJSON, isText := textBytes[f.FullName()]
	switch {
	case isText && isJSON && json.Valid(b):
		return json.RawMessage(b)
	case isText && !isJSON:
		return string(b)
	}
	return Base64(b)
}

// dollars gives the field that stands beside an amount of money.
func dollars(f protoreflect.FieldDescriptor, v protoreflect.Value) (name, text string, ok bool) {
	if f.Kind() != protoreflect.Int64Kind || f.IsList() {
		return "", "", false
	}
	field := f.JSONName()
	if head, found := strings.CutSuffix(field, "NanoUsd"); found {
		return head + "Usd", NanoUSD(v.Int()), true
	}
	if field == "cents" {
		return "usd", Cents(v.Int()), true
	}
	if head, found := strings.CutSuffix(field, "Cents"); found {
		return head + "Usd", Cents(v.Int()), true
	}
	return "", "", false
}

// Time spells a moment as the API does: RFC 3339 in UTC.
func Time(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// MarshalJSON writes the fields in their order.
func (o Object) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			buf.WriteByte(',')
		}
		name, err := marshal(f.Name)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", f.Name, err)
		}
		value, err := marshal(f.Value)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", f.Name, err)
		}
		buf.Write(name)
		buf.WriteByte(':')
		buf.Write(value)
	}
	buf.WriteByte('}')
	return buf.Bytes(), nil
}

// marshal is JSON without HTML escapes, in one line.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// Base64 spells bytes as the API's JSON does.
func Base64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
