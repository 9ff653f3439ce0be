package engine_test

import (
	"flag"
	"os"
	"testing"
)

// Histories are cheap here, so a run of the tests looks at many more than
// rapid's hundred, unless told otherwise.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", "1500"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
