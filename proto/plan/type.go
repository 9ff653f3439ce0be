package plan

import (
	"slices"
	"strings"
)

// Type is the declared type of a param, an output or an artifact, in the
// spelling of the pipeline file: `string`, `list<float>`, `dataset`.
type Type string

// The value types. A value is small (64 KiB) and travels in the open or sealed.
const (
	TypeString   Type = "string"
	TypeInt      Type = "int"
	TypeFloat    Type = "float"
	TypeBool     Type = "bool"
	TypeURI      Type = "uri"
	TypeJSON     Type = "json"
	TypeDuration Type = "duration"
	TypeBytes    Type = "bytes"
)

// The built-in artifact types. An artifact is large: only its URI, digest and
// size ever travel.
const (
	TypeDataset  Type = "dataset"
	TypeModel    Type = "model"
	TypeMetrics  Type = "metrics"
	TypeArtifact Type = "artifact"
	TypeHTML     Type = "html"
)

// scalars lists what may stand alone or inside list<…>.
var scalars = []Type{
	TypeString, TypeInt, TypeFloat, TypeBool, TypeURI, TypeJSON, TypeDuration, TypeBytes,
}

var artifacts = []Type{TypeDataset, TypeModel, TypeMetrics, TypeArtifact, TypeHTML}

// ValueTypes returns the types a param or an output may have, without lists.
func ValueTypes() []Type { return append([]Type(nil), scalars...) }

// ArtifactTypes returns the built-in artifact types.
func ArtifactTypes() []Type { return append([]Type(nil), artifacts...) }

// List returns the type of a list of t.
func List(t Type) Type { return "list<" + t + ">" }

// Elem returns the element type of a list type.
func (t Type) Elem() (Type, bool) {
	s, ok := strings.CutPrefix(string(t), "list<")
	if !ok {
		return "", false
	}
	s, ok = strings.CutSuffix(s, ">")
	return Type(s), ok
}

// Collected is the type of what all children of a map leave together: a list of
// t in the order of the items, null for a child that left nothing. No declared
// type is written like this.
func Collected(t Type) Type { return List(t + optional) }

// optional marks the element of a collected list, which may be null.
const optional = "?"

// Present returns the type of a value that is not null, and whether it may be
// null at all.
func (t Type) Present() (Type, bool) {
	s, ok := strings.CutSuffix(string(t), optional)
	return Type(s), ok
}

// IsRead reports whether t is the type of something that an expression may read:
// a value type, or what maps collect of it.
func (t Type) IsRead() bool {
	t, _ = t.Present()
	if elem, ok := t.Elem(); ok {
		return elem.IsRead()
	}
	return slices.Contains(scalars, t)
}

// IsValue reports whether t is a known value type: a scalar or a list of one.
func (t Type) IsValue() bool {
	if e, ok := t.Elem(); ok {
		t = e
	}
	return slices.Contains(scalars, t)
}

// IsArtifact reports whether t is a built-in artifact type.
func (t Type) IsArtifact() bool { return slices.Contains(artifacts, t) }
