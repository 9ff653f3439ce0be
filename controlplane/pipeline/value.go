package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// valueType reads the type of a param or an output; empty where it is at fault.
func (c *compiler) valueType(e entry) plan.Type {
	known := plan.ValueTypes()
	want := "one of " + typeNames(known) + " or list<…> of one"
	s, ok := c.text(e, want)
	t := plan.Type(strings.ReplaceAll(s, " ", ""))
	if !ok || t.IsValue() {
		return t
	}
	p := Problem{Message: fmt.Sprintf("`%s` is not the type of a value", clip(s)), Want: want, Hint: nearType(s, known)}
	if t.IsArtifact() || isCustomArtifact(t) {
		p.Hint = "large things are declared under `artifacts: {out: …}`"
	}
	c.fail(e.path, e.value, p)
	return ""
}

// nearType also knows how other languages call our types.
func nearType(s string, known []plan.Type) string {
	foreign := map[string]string{
		"str": "string", "text": "string", "integer": "int", "number": "float", "double": "float",
		"boolean": "bool", "url": "uri", "dict": "json", "object": "json", "map": "json", "any": "json",
		"list": "list<string>", "array": "list<string>", "timedelta": "duration",
	}
	if t, ok := foreign[strings.ToLower(s)]; ok {
		return "did you mean `" + t + "`?"
	}
	return didYouMean(s, typeWords(known))
}

func typeWords(types []plan.Type) []string {
	words := make([]string, len(types))
	for i, t := range types {
		words[i] = string(t)
	}
	return words
}

func typeNames(types []plan.Type) string { return strings.Join(typeWords(types), ", ") }

// value reads what stands at e as canonical JSON of type t. A scalar's text is
// converted by t alone; YAML lists and mappings are for list<…> and json.
func (c *compiler) value(e entry, t plan.Type) (json.RawMessage, bool) {
	want := "a value of type " + string(t)
	if e.value.Kind == yaml.ScalarNode {
		return parsed(c, e, want, func(s string) (json.RawMessage, error) { return plan.ParseValue(t, s) })
	}
	raw, err := nodeJSON(e.value, t)
	if err == nil {
		raw, err = plan.CheckValue(t, raw)
	}
	if err != nil {
		c.fail(e.path, e.where(), Problem{Message: err.Error(), Want: want, Got: kindOf(e.value)})
		return nil, false
	}
	return raw, true
}

// nodeJSON writes a YAML node as JSON of type t. Inside json, a plain scalar that
// is JSON by itself (3.10, true, null) stays so and everything else is a string.
func nodeJSON(n *yaml.Node, t plan.Type) (json.RawMessage, error) {
	elem, isList := t.Elem()
	if t == plan.TypeJSON {
		elem, isList = t, n.Kind == yaml.SequenceNode
	}
	switch {
	case n.Kind == yaml.SequenceNode && isList:
		items := make([]json.RawMessage, len(n.Content))
		for i, item := range n.Content {
			raw, err := nodeJSON(item, elem)
			if err != nil {
				return nil, fmt.Errorf("item %d: %w", i, err)
			}
			items[i] = raw
		}
		return json.Marshal(items)
	case n.Kind == yaml.MappingNode && t == plan.TypeJSON:
		object := make(map[string]json.RawMessage, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			raw, err := nodeJSON(n.Content[i+1], t)
			if err != nil {
				return nil, err
			}
			object[n.Content[i].Value] = raw
		}
		return json.Marshal(object)
	case n.Kind != yaml.ScalarNode:
		return nil, fmt.Errorf("want %s", t)
	case strings.Contains(n.Value, exprOpen):
		return nil, errors.New("`${{ }}` may not stand here")
	case t == plan.TypeJSON && isNull(n):
		return json.RawMessage("null"), nil
	case t == plan.TypeJSON && (n.Style != 0 || !json.Valid([]byte(n.Value))):
		return json.Marshal(n.Value)
	default:
		return plan.ParseValue(t, n.Value)
	}
}
