package pipeline

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The published schema and the compiler know the same keys, object by object.
func TestSchemaHasTheCompilersKeys(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/schema/pipeline.schema.json")
	require.NoError(t, err)
	type object struct {
		Properties           map[string]json.RawMessage `json:"properties"`
		AdditionalProperties json.RawMessage            `json:"additionalProperties"`
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(raw, &schema))

	compared := map[string]keys{
		"longParam": paramKeys, "trigger": triggerKeys, "source": sourceKeys, "deadline": deadlineKeys, "resources": resourceKeys,
		"retry": retryKeys, "backoff": backoffKeys, "timeouts": timeoutKeys, "output": outputKeys,
		"artifacts": artifactsKeys, "artifactIn": artifactInKeys, "artifactOut": artifactOutKeys,
		"defaults": defaultKeys, "task": taskKeys, "handler": exitKeys, "exitTask": exitTaskKeys,
		"repeat": repeatKeys, "wait": waitKeys, "signal": signalKeys, "approve": approveKeys,
		"concurrency": concurrencyKeys, "gang": gangKeys,
	}
	schema.Defs["pipeline"] = schema.object
	compared["pipeline"] = pipelineKeys
	for name, def := range schema.Defs {
		k, ok := compared[name]
		require.Equal(t, def.Properties != nil, ok, "%s is compared", name)
		if ok {
			require.ElementsMatch(t, k.known, slices.Collect(maps.Keys(def.Properties)), name)
			require.Equal(t, "false", string(def.AdditionalProperties), name)
		}
	}
}

func TestKeysAreDistinct(t *testing.T) {
	t.Parallel()
	for _, k := range []keys{pipelineKeys, taskKeys, exitTaskKeys, defaultKeys, retryKeys, resourceKeys} {
		all := slices.Sorted(slices.Values(slices.Concat(k.known, k.later)))
		require.Len(t, slices.Compact(slices.Clone(all)), len(all), k.where)
	}
}
