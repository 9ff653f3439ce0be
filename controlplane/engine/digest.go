package engine

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// DigestVersion names how Digest writes a state down. Digests of two versions
// are not comparable. It is raised when the state of an old journal would be
// written otherwise than before: testdata/digests.golden tells.
const DigestVersion = 1

// StateDigest is a sha256 of a state.
type StateDigest [sha256.Size]byte

// String is the digest in lower-case hex.
func (d StateDigest) String() string { return hex.EncodeToString(d[:]) }

// Digest is the identity of a state: two states have the same one exactly if no
// exported field of them differs, at any depth. It does not depend on who folded
// the journal, when, or in how many steps.
//
// What is empty is not written down, so a field that a later release adds
// changes no digest of the runs that do not use it.
func (s *State) Digest() StateDigest {
	w := canonical{sum: sha256.New()}
	w.buf = fmt.Appendf(w.buf, "signalbox.state/%d\n", DigestVersion)
	encodeState(&w, reflect.ValueOf(s).Elem())
	var out StateDigest
	w.flush()
	w.sum.Sum(out[:0])
	return out
}

// Canonical is the text that Digest hashes: one line for each thing that is not
// empty, so that two texts can be compared by eye.
func (s *State) Canonical() []byte {
	var w canonical
	w.buf = fmt.Appendf(w.buf, "signalbox.state/%d\n", DigestVersion)
	encodeState(&w, reflect.ValueOf(s).Elem())
	return w.buf
}

// encodeState is compiled once: a state may have 100,000 tasks.
var encodeState = encoderOf(reflect.TypeFor[State](), "")

// canonical is a text in the making; with a sum it is hashed as it grows.
type canonical struct {
	buf    []byte
	prefix []byte
	sum    hash.Hash
}

// flushAt is how much text is gathered before it is hashed.
const flushAt = 64 << 10

func (w *canonical) line(name string, value func([]byte) []byte) {
	w.buf = append(append(w.buf, w.prefix...), name...)
	w.buf = append(value(append(w.buf, ' ')), '\n')
	if w.sum != nil && len(w.buf) >= flushAt {
		w.flush()
	}
}

func (w *canonical) flush() {
	w.sum.Write(w.buf)
	w.buf = w.buf[:0]
}

// within writes with a longer prefix.
func (w *canonical) within(name string, write func()) {
	n := len(w.prefix)
	w.prefix = append(w.prefix, name...)
	write()
	w.prefix = w.prefix[:n]
}

// encoder writes a value that is not zero.
type encoder func(w *canonical, v reflect.Value)

var (
	timeType     = reflect.TypeFor[time.Time]()
	stringerType = reflect.TypeFor[fmt.Stringer]()
)

// encoderOf compiles how values of a type are written. It panics, when the
// program starts, over a type that has no canonical text.
func encoderOf(t reflect.Type, name string) encoder {
	leaf := func(text func(b []byte, v reflect.Value) []byte) encoder {
		return func(w *canonical, v reflect.Value) {
			w.line(name, func(b []byte) []byte { return text(b, v) })
		}
	}
	switch {
	case t == timeType:
		return leaf(func(b []byte, v reflect.Value) []byte {
			return v.Interface().(time.Time).UTC().AppendFormat(b, time.RFC3339Nano)
		})
	case t.Kind() == reflect.Array && t.Elem().Kind() == reflect.Uint8:
		return leaf(func(b []byte, v reflect.Value) []byte {
			raw := make([]byte, v.Len())
			reflect.Copy(reflect.ValueOf(raw), v)
			return hex.AppendEncode(b, raw)
		})
	case t.Kind() != reflect.Struct && t.Implements(stringerType):
		// An enum by its name, as the journal has it.
		return leaf(func(b []byte, v reflect.Value) []byte { return append(b, v.Interface().(fmt.Stringer).String()...) })
	}
	switch t.Kind() { //nolint:exhaustive // Kinds without a canonical text panic below.
	case reflect.Bool:
		return leaf(func(b []byte, v reflect.Value) []byte { return strconv.AppendBool(b, v.Bool()) })
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return leaf(func(b []byte, v reflect.Value) []byte { return strconv.AppendInt(b, v.Int(), 10) })
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return leaf(func(b []byte, v reflect.Value) []byte { return strconv.AppendUint(b, v.Uint(), 10) })
	case reflect.Float32, reflect.Float64:
		return leaf(func(b []byte, v reflect.Value) []byte { return strconv.AppendFloat(b, v.Float(), 'g', -1, 64) })
	case reflect.String:
		return leaf(func(b []byte, v reflect.Value) []byte { return strconv.AppendQuote(b, v.String()) })
	case reflect.Struct:
		return structEncoder(t, name)
	case reflect.Slice, reflect.Array:
		return listEncoder(t, name)
	case reflect.Map:
		return mapEncoder(t, name)
	case reflect.Pointer:
		each := lazily(t.Elem(), name)
		return func(w *canonical, v reflect.Value) {
			if !v.IsNil() {
				// Something is there, empty or not.
				w.line(name, func(b []byte) []byte { return append(b, '*') })
				each(w, v.Elem())
			}
		}
	}
	panic("a state has a field of type " + t.String() + ", which has no canonical text")
}

// lazily compiles at the first use, so that a type may contain itself.
func lazily(t reflect.Type, name string) encoder {
	return func(w *canonical, v reflect.Value) { encoderOf(t, name)(w, v) }
}

func structEncoder(t reflect.Type, name string) encoder {
	type field struct {
		index  int
		name   string
		encode encoder
	}
	dot := ""
	if name != "" {
		dot = name + "."
	}
	var fields []field
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			fields = append(fields, field{i, f.Name, encoderOf(f.Type, f.Name)})
		}
	}
	// By name, so that moving a field changes nothing.
	slices.SortFunc(fields, func(a, b field) int { return cmp.Compare(a.name, b.name) })
	return func(w *canonical, v reflect.Value) {
		w.within(dot, func() {
			for i := range fields {
				if f := v.Field(fields[i].index); !empty(f) {
					fields[i].encode(w, f)
				}
			}
		})
	}
}

// empty reports whether a value is not written: a slice or map without elements
// says as little as none.
func empty(v reflect.Value) bool {
	switch v.Kind() { //nolint:exhaustive // All others are empty when they are zero.
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		if v.Type() == timeType {
			return v.Interface().(time.Time).IsZero()
		}
	}
	return v.IsZero()
}

func listEncoder(t reflect.Type, name string) encoder {
	each := encoderOf(t.Elem(), "")
	leafs := t.Elem().Kind() != reflect.Struct
	return func(w *canonical, v reflect.Value) {
		// The length, because elements that are empty are not written.
		w.line(name, func(b []byte) []byte { return strconv.AppendInt(b, int64(v.Len()), 10) })
		for i := range v.Len() {
			if e := v.Index(i); leafs || !empty(e) {
				w.within(name+"["+strconv.Itoa(i)+"].", func() { each(w, e) })
			}
		}
	}
}

func mapEncoder(t reflect.Type, name string) encoder {
	key, each := encoderOf(t.Key(), ""), encoderOf(t.Elem(), "")
	return func(w *canonical, v reflect.Value) {
		type pair struct {
			key   []byte
			value reflect.Value
		}
		var pairs []pair
		for it := v.MapRange(); it.Next(); {
			var k canonical
			key(&k, it.Key())
			pairs = append(pairs, pair{bytes.ReplaceAll(bytes.TrimSpace(k.buf), []byte("\n"), []byte(",")), it.Value()})
		}
		slices.SortFunc(pairs, func(a, b pair) int { return bytes.Compare(a.key, b.key) })
		w.line(name, func(b []byte) []byte { return strconv.AppendInt(b, int64(len(pairs)), 10) })
		for _, p := range pairs {
			w.line(name+"["+string(p.key)+"]", func(b []byte) []byte { return append(b, '*') })
			w.within(name+"["+string(p.key)+"].", func() { each(w, p.value) })
		}
	}
}
