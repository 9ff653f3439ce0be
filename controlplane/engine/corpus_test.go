package engine_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// testdata/journals/<release>/ holds journals that a release wrote. They are
// folded for ever: a folder is made once, when its release is cut, and never
// written again.
//
//	go test ./controlplane/engine -run TestRecordJournals -record v0.2
var record = flag.String("record", "", "record journals into testdata/journals/<release>, which must not be there yet")

func sum(text string) engine.StateDigest { return sha256.Sum256([]byte(text)) }

// recorded is an entry as the folder keeps it: without what is empty, and enums
// by name, as in the journal's columns.
type recorded struct {
	engine.Entry

	Kind, Outcome, Cause, Next string
}

func encodeEntry(t *testing.T, e engine.Entry) []byte {
	t.Helper()
	text, err := json.Marshal(recorded{e, e.Kind.String(), e.Outcome.String(), e.Cause.String(), e.Next.String()})
	require.NoError(t, err)
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&fields))
	zero, err := json.Marshal(engine.Entry{})
	require.NoError(t, err)
	var nothing map[string]any
	d = json.NewDecoder(bytes.NewReader(zero))
	d.UseNumber()
	require.NoError(t, d.Decode(&nothing))
	maps.DeleteFunc(fields, func(name string, v any) bool {
		return v == "" || fmt.Sprint(v) == fmt.Sprint(nothing[name])
	})
	text, err = json.Marshal(fields)
	require.NoError(t, err)
	return text
}

func decodeEntry(t *testing.T, text []byte) engine.Entry {
	t.Helper()
	r := recorded{Next: engine.TaskPending.String()}
	require.NoError(t, json.Unmarshal(text, &r))
	e := r.Entry
	var err error
	e.Kind, err = engine.ParseKind(r.Kind)
	require.NoError(t, err)
	e.Outcome, err = engine.ParseOutcome(r.Outcome)
	require.NoError(t, err)
	e.Cause, err = engine.ParseCause(r.Cause)
	require.NoError(t, err)
	e.Next, err = engine.ParseTaskState(r.Next)
	require.NoError(t, err)
	return e
}

// TestOldJournalsFoldAsEver folds what every release wrote, and compares the
// state after each entry with the one it always had.
func TestOldJournalsFoldAsEver(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/journals/*/*.jsonl")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	kinds := map[engine.Kind]bool{}
	var digests strings.Builder
	fmt.Fprintf(&digests, "The digests of the states of testdata/journals, version %d. One that changes\nmakes stored digests incomparable: raise DigestVersion with it.\n", engine.DigestVersion)
	for _, path := range files {
		name := strings.TrimPrefix(filepath.ToSlash(path), "testdata/journals/")
		g, entries := readJournal(t, path)
		s := engine.NewState(runID)
		var sums []string
		for _, e := range entries {
			kinds[e.Kind] = true
			require.NoError(t, engine.Fold(g, s, e), "%s: a release wrote it", name)
			sums = append(sums, s.Digest().String()[:8])
		}
		fmt.Fprintf(&digests, "\n%s: %s %s %d\n", name, s.Run, s.Outcome, len(entries))
		for row := range slices.Chunk(sums, 12) {
			fmt.Fprintf(&digests, "  %s\n", strings.Join(row, " "))
		}
	}
	golden(t, "testdata/digests.golden", digests.String())
	for _, kind := range firstKinds {
		require.True(t, kinds[kind], "no journal has a %s", kind)
	}
}

// firstKinds are those of the first release; a later one records its own.
var firstKinds = []engine.Kind{
	engine.KindRunStarted, engine.KindRunCanceled, engine.KindRunForced, engine.KindRunRetried, engine.KindAttemptEnded,
	engine.KindTaskEnded, engine.KindDeadlinePassed, engine.KindExitDeadlinePassed,
}

func readJournal(t *testing.T, path string) (*engine.Graph, []engine.Entry) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	require.True(t, lines.Scan())
	p, err := plan.Decode(lines.Bytes())
	require.NoError(t, err)
	g, err := engine.NewGraph(p)
	require.NoError(t, err)
	var entries []engine.Entry
	for lines.Scan() {
		entries = append(entries, decodeEntry(t, lines.Bytes()))
	}
	require.NoError(t, lines.Err())
	return g, entries
}

// TestRecordJournals writes the folder of a release when asked to; otherwise it
// only tries what it would write.
func TestRecordJournals(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "journals")
	if *record != "" {
		dir = filepath.Join("testdata", "journals", *record)
		require.NoDirExists(t, dir, "a release records its journals once")
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	kinds := map[engine.Kind]bool{}
	for name, w := range recordings(t) {
		p := *w.g.Plan
		p.Format = plan.Format
		text, err := p.Encode()
		require.NoError(t, err)
		out := bytes.NewBuffer(append(text, '\n'))
		for _, e := range w.journal {
			kinds[e.Kind] = true
			out.Write(append(encodeEntry(t, e), '\n'))
		}
		path := filepath.Join(dir, name+".jsonl")
		require.NoError(t, os.WriteFile(path, out.Bytes(), 0o644))
		g, entries := readJournal(t, path)
		require.Equal(t, w.journal, entries)
		s := engine.NewState(runID)
		for _, e := range entries {
			require.NoError(t, engine.Fold(g, s, e))
		}
		require.Equal(t, w.s.Digest(), s.Digest())
	}
	for _, kind := range engine.Kinds()[1:] {
		if *record != "" {
			require.True(t, kinds[kind], "no recorded journal has a %s: add a story for it", kind)
		}
	}
}

// recordings are the lives that are recorded: told ones for every kind of entry
// and every end, and random ones.
func recordings(t *testing.T) map[string]*world {
	t.Helper()
	out := toldRecordings(t)
	random := rapid.Custom(randomJournal)
	for seed := range 12 {
		out[fmt.Sprintf("random%02d", seed)] = random.Example(seed + 1)
	}
	return out
}

func randomJournal(r *rapid.T) *world {
	h := &history{world: newWorld(r, drawPlan(r, planConfig{main: 8, exit: 2, controls: true})), r: r}
	h.send(engine.Start{Now: h.now, Actor: "usr_a"})
	for range rapid.IntRange(20, 60).Draw(r, "steps") {
		h.step()
	}
	h.end()
	return h.world
}
