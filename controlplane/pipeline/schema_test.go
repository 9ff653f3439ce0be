package pipeline_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const schemaFile = "../../docs/schema/pipeline.schema.json"

// What compiles is valid, and so is what is wrong only in its meaning; what is
// wrong in its shape is refused by the schema too.
func TestSchemaAgreesWithTheCompiler(t *testing.T) {
	t.Parallel()
	f, err := os.Open(schemaFile)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	doc, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	require.NoError(t, compiler.AddResource("pipeline.json", doc))
	schema, err := compiler.Compile("pipeline.json")
	require.NoError(t, err)

	examples, err := filepath.Glob("../../examples/*/pipeline.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	valid := append(examples, fixtures(t, "good")...)
	valid = append(valid, fixtures(t, "warn")...)
	for _, file := range append(valid, fixtures(t, "meaning")...) {
		require.NoError(t, schema.Validate(yamlValue(t, file)), file)
	}
	for _, file := range fixtures(t, "shape") {
		require.Error(t, schema.Validate(yamlValue(t, file)), file)
	}
}

func yamlValue(t *testing.T, file string) any {
	t.Helper()
	var doc yaml.Node
	require.NoError(t, yaml.Unmarshal(read(t, file), &doc))
	return jsonValue(t, doc.Content[0])
}

// jsonValue reads a node as an editor does that validates YAML by a schema.
func jsonValue(t *testing.T, n *yaml.Node) any {
	t.Helper()
	if n.Kind == yaml.MappingNode {
		object := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			object[n.Content[i].Value] = jsonValue(t, n.Content[i+1])
		}
		return object
	}
	if n.Kind == yaml.SequenceNode {
		list := []any{}
		for _, item := range n.Content {
			list = append(list, jsonValue(t, item))
		}
		return list
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		b, err := strconv.ParseBool(n.Value)
		require.NoError(t, err)
		return b
	case "!!int", "!!float":
		return json.Number(n.Value)
	}
	return n.Value
}
