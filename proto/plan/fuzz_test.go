package plan_test

import (
	"bytes"
	"testing"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// Whatever a step leaves in its output file is refused, or becomes canonical JSON
// that every later reader of the type leaves as it is.
func FuzzParseOutput(f *testing.F) {
	types := plan.ValueTypes()
	for _, t := range plan.ValueTypes() {
		types = append(types, plan.List(t))
	}
	for i, text := range []string{
		"hello\n", "7", "1e-3", "True", "s3://a/b", `{"b":1,"a":[null]}`, "1h30m", "aGk=", `["a"]`, "[1]", "[0.5]",
	} {
		f.Add(i, []byte(text))
	}
	f.Fuzz(func(t *testing.T, which int, file []byte) {
		typ := types[uint(which)%uint(len(types))]
		raw, err := plan.ParseOutput(typ, file)
		if err != nil {
			return
		}
		again, err := plan.CheckValue(typ, raw)
		if err != nil {
			t.Fatalf("%s: canonical %s is refused: %v", typ, raw, err)
		}
		if !bytes.Equal(raw, again) {
			t.Fatalf("%s: %s becomes %s", typ, raw, again)
		}
		if len(raw) > plan.MaxValueBytes {
			t.Fatalf("%d bytes", len(raw))
		}
	})
}
