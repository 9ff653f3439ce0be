package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

func writeYAML(w io.Writer, v any) error {
	node, err := yamlNode(v)
	if err != nil {
		return err
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(node); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return enc.Close()
}

// yamlNode keeps the order of fields, which the library's own encoding of maps
// would lose.
func yamlNode(v any) (*yaml.Node, error) {
	switch v := v.(type) {
	case Object:
		node := &yaml.Node{Kind: yaml.MappingNode}
		for _, f := range v {
			if err := addPair(node, f.Name, f.Value); err != nil {
				return nil, err
			}
		}
		return node, nil
	case map[string]any:
		node := &yaml.Node{Kind: yaml.MappingNode}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if err := addPair(node, k, v[k]); err != nil {
				return nil, err
			}
		}
		return node, nil
	case []any:
		node := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range v {
			child, err := yamlNode(item)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
		return node, nil
	case json.RawMessage:
		var inner any
		dec := json.NewDecoder(bytes.NewReader(v))
		dec.UseNumber()
		if err := dec.Decode(&inner); err != nil {
			return nil, fmt.Errorf("write the answer: %w", err)
		}
		return yamlNode(inner)
	case json.Number:
		return number(v), nil
	}
	node := &yaml.Node{}
	if err := node.Encode(v); err != nil {
		return nil, fmt.Errorf("write the answer: %w", err)
	}
	return node, nil
}

func addPair(node *yaml.Node, name string, value any) error {
	key := &yaml.Node{}
	key.SetString(name)
	child, err := yamlNode(value)
	if err != nil {
		return err
	}
	node.Content = append(node.Content, key, child)
	return nil
}

func number(n json.Number) *yaml.Node {
	tag := "!!int"
	if _, err := strconv.ParseInt(n.String(), 10, 64); err != nil {
		tag = "!!float"
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: n.String()}
}
