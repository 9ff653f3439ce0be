package pipeline_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/signalboxhq/signalbox/controlplane/pipeline"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Whatever comes in, Compile ends with a plan that survives its encoding or with
// problems that have a place.
func FuzzCompile(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	examples, err := filepath.Glob("../../examples/*/pipeline.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, examples...) {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := pipeline.Compile("fuzz.yaml", src)
		if err != nil {
			var problems *pipeline.Problems
			if !errors.As(err, &problems) || len(problems.List) == 0 {
				t.Fatalf("an error without problems: %v", err)
			}
			for _, p := range problems.List {
				if p.Line < 1 || p.Column < 1 || p.Message == "" {
					t.Fatalf("a problem without a place: %+v", p)
				}
			}
			return
		}
		decoded, err := plan.Decode(c.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decoded.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if plan.DigestOf(again) != c.Digest {
			t.Fatalf("the digest changes with encoding:\n%s\n%s", c.Bytes, again)
		}
		second, err := pipeline.Compile("other.yaml", src)
		if err != nil || second.Digest != c.Digest {
			t.Fatalf("the same source, another digest: %v", err)
		}
	})
}
