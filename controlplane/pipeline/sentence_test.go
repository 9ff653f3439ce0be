package pipeline_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/pipeline"
)

func TestSentence(t *testing.T) {
	t.Parallel()
	for want, problem := range map[string]pipeline.Problem{
		"`x` is not known; want one of a, b, got x; did you mean `a`?": {
			Message: "`x` is not known", Want: "one of a, b", Got: "x", Hint: "did you mean `a`?",
		},
		`want int, got "ten"`:                         {Message: `want int, got "ten"`, Want: "a value of type int", Got: `"ten"`},
		`want bytes in base64, got "3Gi"`:             {Message: "want bytes in base64", Want: "a value of type bytes", Got: `"3Gi"`},
		"a → b → a; got a waits for b, b waits for a": {Message: "a → b → a", Got: "a waits for b\nb waits for a"},
	} {
		require.Equal(t, want, problem.Sentence())
	}
}
