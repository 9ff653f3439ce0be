package pipeline_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/pipeline"
	"github.com/signalboxhq/signalbox/proto/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file beside the fixture, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "go test -update writes it")
	require.Equal(t, string(want), got, file)
}

func fixtures(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	src, err := os.ReadFile(file)
	require.NoError(t, err)
	return src
}

// Files in testdata/shape and testdata/yaml are refused by their form alone, those
// in testdata/meaning only by what they mean.
func TestProblems(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"yaml", "shape", "meaning"} {
		for _, file := range fixtures(t, folder) {
			t.Run(folder+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				_, err := pipeline.Compile(filepath.Base(file), read(t, file))
				var problems *pipeline.Problems
				require.True(t, errors.As(err, &problems), "%v", err)
				require.NotEmpty(t, problems.List)
				golden(t, strings.TrimSuffix(file, ".yaml")+".err", err.Error())
				for _, p := range problems.List {
					require.Positive(t, p.Line)
					require.Positive(t, p.Column)
					require.NotEmpty(t, p.Message)
					require.NotEmpty(t, p.Excerpt)
				}
			})
		}
	}
}

func TestPlans(t *testing.T) {
	t.Parallel()
	for _, file := range fixtures(t, "good") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			c, err := pipeline.Compile(filepath.Base(file), read(t, file))
			require.NoError(t, err)
			require.Empty(t, c.Warnings)
			var pretty bytes.Buffer
			require.NoError(t, json.Indent(&pretty, c.Bytes, "", "  "))
			golden(t, strings.TrimSuffix(file, ".yaml")+".json", pretty.String()+"\n")
		})
	}
}

func TestCompileIsStable(t *testing.T) {
	t.Parallel()
	src := read(t, "testdata/good/most.yaml")
	first, err := pipeline.Compile("a.yaml", src)
	require.NoError(t, err)
	for range 20 {
		again, err := pipeline.Compile("b.yaml", src)
		require.NoError(t, err)
		require.Equal(t, first.Digest, again.Digest)
	}
	decoded, err := plan.Decode(first.Bytes)
	require.NoError(t, err)
	encoded, err := decoded.Encode()
	require.NoError(t, err)
	require.Equal(t, first.Bytes, encoded)
	require.Equal(t, first.Digest, plan.DigestOf(encoded))
}
