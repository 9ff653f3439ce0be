package pipeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// entry is one `key: value` of a mapping, or one item of a list (without a key).
type entry struct {
	path  string
	name  string // the key's text
	key   *yaml.Node
	value *yaml.Node
}

// object is a mapping whose keys the format knows.
type object struct {
	path    string
	node    *yaml.Node // the key that the mapping stands under, for "is missing"
	entries map[string]entry
	all     []entry
}

func (o object) get(key string) (entry, bool) {
	e, ok := o.entries[key]
	return e, ok
}

// object reads a mapping and reports every key that k does not know.
func (c *compiler) object(e entry, k keys) (object, bool) {
	o := object{path: e.path, node: e.where(), entries: map[string]entry{}}
	if !c.wantMapping(e, k.where+" with the keys "+strings.Join(k.known, ", ")) {
		return o, false
	}
	o.all = e.fields()
	for _, f := range o.all {
		switch {
		case slices.Contains(k.known, f.name):
			o.entries[f.name] = f
		case slices.Contains(k.later, f.name):
			c.fail(f.path, f.key, Problem{Message: fmt.Sprintf("`%s` is not supported yet", f.name)})
		default:
			c.fail(f.path, f.key, Problem{
				Message: fmt.Sprintf("unknown key `%s`", clip(f.name)),
				Want:    "one of " + strings.Join(k.known, ", "),
				Hint:    k.hint(f.name),
			})
		}
	}
	return o, true
}

// named reads a mapping whose keys the user chooses.
func (c *compiler) named(e entry, want string, rule nameRule) []entry {
	if !c.wantMapping(e, want) {
		return nil
	}
	return slices.DeleteFunc(e.fields(), func(f entry) bool { return !c.checkName(f.path, f.key, f.name, rule) })
}

// list reads a sequence of at most most items.
func (c *compiler) list(e entry, want string, most int) ([]entry, bool) {
	if e.value.Kind != yaml.SequenceNode {
		c.fail(e.path, e.where(), Problem{Message: "a list is wanted here", Want: want, Got: kindOf(e.value)})
		return nil, false
	}
	if len(e.value.Content) > most {
		c.fail(e.path, e.where(), Problem{
			Message: "the list is too long",
			Want:    fmt.Sprintf("at most %d items", most), Got: strconv.Itoa(len(e.value.Content)),
		})
		return nil, false
	}
	items := make([]entry, len(e.value.Content))
	for i, n := range e.value.Content {
		items[i] = entry{path: index(e.path, i), value: n}
	}
	return items, true
}

func (c *compiler) wantMapping(e entry, want string) bool {
	if e.value.Kind == yaml.MappingNode {
		return true
	}
	c.fail(e.path, e.where(), Problem{Message: "a mapping is wanted here", Want: want, Got: kindOf(e.value)})
	return false
}

// where is the node to point at: the value, or the key of what has no value.
func (e entry) where() *yaml.Node {
	if e.key != nil && (isNull(e.value) || e.value.Kind == yaml.MappingNode || e.value.Kind == yaml.SequenceNode) {
		return e.key
	}
	return e.value
}

// fieldsOrNone are the fields of a mapping; of anything else there are none.
func (e entry) fieldsOrNone() []entry {
	if e.value.Kind != yaml.MappingNode {
		return nil
	}
	return e.fields()
}

func (e entry) fields() []entry {
	out := make([]entry, 0, len(e.value.Content)/2)
	for i := 0; i+1 < len(e.value.Content); i += 2 {
		key, value := e.value.Content[i], e.value.Content[i+1]
		out = append(out, entry{path: join(e.path, key.Value), name: key.Value, key: key, value: value})
	}
	return out
}

// isNull reports a missing value, `null` and `~`.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style == 0 && n.ShortTag() == "!!null"
}

func kindOf(n *yaml.Node) string {
	switch {
	case isNull(n):
		return "no value"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	default:
		return fmt.Sprintf("%q", clip(n.Value))
	}
}

// mentions reports a key of o that the file has, known or not.
func (o object) mentions(key string) bool {
	return slices.ContainsFunc(o.all, func(f entry) bool { return f.name == key })
}
