package cli_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the transcripts anew")

// TestTranscripts plays the sessions of testdata: each line `$ signalbox …` is
// typed, and what follows it is what must come out. Lines `< …` are standard
// error, `[exit 3]` is an exit code other than 0, lines `# …` explain. With
// -update what came out is written there.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			played := play(setup(t), string(raw))
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(played), 0o600))
			}
			if !*update {
				require.Equal(t, string(raw), played)
			}
		})
	}
}

// play types the commands of a transcript and writes it anew.
func play(d *desk, script string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(script, "\n") {
		comment := strings.HasPrefix(line, "#")
		command, typed := strings.CutPrefix(line, "$ signalbox")
		switch {
		case comment:
			b.WriteString(line + "\n")
		case strings.HasPrefix(line, "% "):
			b.WriteString(line + "\n")
			d.set(strings.TrimPrefix(line, "% "))
		case typed:
			b.WriteString(line + "\n")
			r := d.run(words(d.t, command)...)
			b.WriteString(r.out)
			if r.out != "" && !strings.HasSuffix(r.out, "\n") {
				b.WriteString("⏎\n")
			}
			for e := range strings.Lines(r.err) {
				b.WriteString("< " + e)
			}
			if r.code != 0 {
				fmt.Fprintf(&b, "[exit %d]\n", r.code)
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// set changes the world between commands: `% run failed`, `% no key`.
func (d *desk) set(what string) {
	d.t.Helper()
	kind, value, _ := strings.Cut(what, " ")
	switch kind {
	case "run":
		d.fake.runState = value
	case "input":
		d.input = value + "\n"
	default:
		require.Fail(d.t, "unknown", what)
	}
}

// words splits a command line at blanks, outside of single quotes.
func words(t *testing.T, line string) []string {
	t.Helper()
	var out []string
	var word strings.Builder
	quoted, begun := false, false
	for _, r := range line {
		switch {
		case r == '\'':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				out = append(out, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	require.False(t, quoted, line)
	if begun {
		out = append(out, word.String())
	}
	return out
}
