package plan

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxValueBytes is the most that one value may measure as canonical JSON;
// MaxTaskBytes the most of all outputs of one task together. What is larger is
// an artifact.
const (
	MaxValueBytes = 64 << 10
	MaxTaskBytes  = 256 << 10
)

// TooLarge says what is wrong with outputs of so many bytes together; empty if
// one task may leave them.
func TooLarge(total int) string {
	if total <= MaxTaskBytes {
		return ""
	}
	return fmt.Sprintf("the outputs have %d bytes together, a task may have %d: hand on what is large as an artifact", total, MaxTaskBytes)
}

// decimal is the spelling of a number that every language prints and reads.
var decimal = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)

// ParseValue turns text, as a person types it (`--param lr=1e-3`, a default in
// a pipeline file), into canonical JSON of the declared type:
//
//	string    the text itself             bool      true or false (True, FALSE)
//	int       a 64-bit decimal            json      any JSON, keys sorted
//	float     a finite decimal            duration  90s, 1h30m: JSON "5400s"
//	uri       with a scheme               bytes     base64
//	list<T>   a JSON list of T
//
// Space around everything but a string is ignored. Errors are sentences for the
// person who typed the text, without the name of the thing.
func ParseValue(t Type, text string) (json.RawMessage, error) {
	if _, ok := t.Elem(); ok || t == TypeJSON {
		return CheckValue(t, json.RawMessage(text))
	}
	raw, err := parseScalar(t, text)
	if err != nil {
		return nil, err
	}
	return raw, checkSize(raw)
}

// ParseOutput turns the bytes of `$SB_OUTPUTS/<name>` into canonical JSON of
// the declared type. It differs from [ParseValue] where files do: the newline
// that `echo` appends is no part of a string, and bytes are the file's own.
func ParseOutput(t Type, file []byte) (json.RawMessage, error) {
	if t == TypeBytes {
		raw := quote(base64.StdEncoding.EncodeToString(file))
		return raw, checkSize(raw)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(file), "\n"), "\r")
	return ParseValue(t, text)
}

// CheckValue reads JSON that claims to be of type t and returns its canonical
// form. Use it for values that come as JSON from a client or another task.
func CheckValue(t Type, raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) > 2*MaxValueBytes {
		return nil, errTooLarge(len(raw))
	}
	if !utf8.Valid(raw) {
		return nil, errors.New("the value is not UTF-8")
	}
	v, err := decodeJSON(raw)
	if err != nil {
		return nil, err
	}
	out, err := canonical(t, v)
	if err != nil {
		return nil, err
	}
	return out, checkSize(out)
}

// Text is the form in which a value stands in an environment string or in
// `$SB_INPUTS/<NAME>`: strings without quotes, everything else as its JSON.
func Text(raw json.RawMessage) string {
	var s string
	if bytes.HasPrefix(raw, []byte{'"'}) && json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func parseScalar(t Type, text string) (json.RawMessage, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("the value is not UTF-8; declare it as bytes")
	}
	if t != TypeString {
		text = strings.TrimSpace(text)
	}
	switch t {
	case TypeString:
		return quote(text), nil
	case TypeInt:
		return parseInt(text)
	case TypeFloat:
		return parseFloat(text)
	case TypeBool:
		switch text {
		case "true", "True", "TRUE":
			return json.RawMessage("true"), nil
		case "false", "False", "FALSE":
			return json.RawMessage("false"), nil
		}
		return nil, fmt.Errorf("want bool (true or false), got %s", clip(text))
	case TypeURI:
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" {
			return nil, fmt.Errorf("want uri with a scheme, as in s3://bucket/key, got %s", clip(text))
		}
		return quote(text), nil
	case TypeDuration:
		d, err := ParseDuration(text)
		if err != nil {
			return nil, err
		}
		return quote(d.String()), nil
	case TypeBytes:
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, errors.New("want bytes in base64")
		}
		return quote(base64.StdEncoding.EncodeToString(b)), nil
	case TypeJSON, TypeDataset, TypeModel, TypeMetrics, TypeArtifact, TypeHTML: // no scalars
	}
	return nil, fmt.Errorf("%s is no type of a value", clip(string(t)))
}

func parseInt(text string) (json.RawMessage, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		if errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("want int of 64 bits, got %s", clip(text))
		}
		return nil, fmt.Errorf("want int, got %s", clip(text))
	}
	return strconv.AppendInt(nil, n, 10), nil
}

func parseFloat(text string) (json.RawMessage, error) {
	f, err := strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) && decimal.MatchString(text) {
		return nil, fmt.Errorf("%s is too large for a float", clip(text))
	}
	if err == nil && !finite(f) {
		return nil, fmt.Errorf("want a finite float, got %s", clip(text))
	}
	if err != nil || !decimal.MatchString(text) {
		return nil, fmt.Errorf("want float, got %s", clip(text))
	}
	return json.Marshal(f + 0) // + 0 turns -0 into 0
}

// canonical writes v, decoded with numbers kept as text, as type t.
func canonical(t Type, v any) (json.RawMessage, error) {
	t, mayBeNull := t.Present()
	if mayBeNull && v == nil {
		return json.RawMessage("null"), nil
	}
	if elem, ok := t.Elem(); ok {
		list, ok := v.([]any)
		if !ok {
			return nil, fmt.Errorf(`want %s as a JSON list, as in ["a", "b"], got %s`, t, kindOf(v))
		}
		return canonicalList(elem, list)
	}
	switch x := v.(type) {
	case string:
		if t == TypeString || t == TypeURI || t == TypeDuration || t == TypeBytes {
			return parseScalar(t, x)
		}
	case json.Number:
		if t == TypeInt || t == TypeFloat {
			return parseScalar(t, x.String())
		}
	case bool:
		if t == TypeBool {
			return json.RawMessage(strconv.FormatBool(x)), nil
		}
	}
	if t != TypeJSON {
		return nil, fmt.Errorf("want %s, got %s", t, kindOf(v))
	}
	return encode(v)
}

func canonicalList(elem Type, list []any) (json.RawMessage, error) {
	out := []byte{'['}
	for i, v := range list {
		raw, err := canonical(elem, v)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, raw...)
	}
	return append(out, ']'), nil
}

func kindOf(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case string:
		return "the string " + clip(x)
	case json.Number:
		return "the number " + clip(x.String())
	case bool:
		return strconv.FormatBool(x)
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

func decodeJSON(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("want JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one JSON value, got more after it")
	}
	return v, nil
}

// encode is JSON with sorted keys and without HTML escapes.
func encode(v any) (json.RawMessage, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode value: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

func quote(s string) json.RawMessage {
	raw, err := encode(s)
	if err != nil {
		panic("plan: a string has no JSON: " + err.Error()) // cannot be: every string has one
	}
	return raw
}

func checkSize(raw []byte) error {
	if len(raw) > MaxValueBytes {
		return errTooLarge(len(raw))
	}
	return nil
}

func errTooLarge(n int) error {
	return fmt.Errorf("a value may have %d bytes, this one has %d; hand on what is larger as an artifact", MaxValueBytes, n)
}
