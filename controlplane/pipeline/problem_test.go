package pipeline_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/pipeline"
)

func problemsOf(t *testing.T, src string) *pipeline.Problems {
	t.Helper()
	_, err := pipeline.Compile("pipeline.yaml", []byte(src))
	var problems *pipeline.Problems
	require.True(t, errors.As(err, &problems), "%v", err)
	return problems
}

func TestProblemsAreReadByMachines(t *testing.T) {
	t.Parallel()
	p := problemsOf(t, "signalbox: v1\nname: x\ntasks:\n  train:\n    run: echo\n    timeouts: {run: 4}\n")
	raw, err := json.Marshal(p)
	require.NoError(t, err)
	require.JSONEq(t, `{"file": "pipeline.yaml", "problems": [{
		"path": "tasks.train.timeouts.run", "line": 6, "column": 21,
		"message": "a duration needs a unit: ms, s, m, h or d, as in 90s or 1h30m",
		"want": "a duration such as 90s, 10m, 1h30m or 7d", "got": "\"4\"",
		"excerpt": "    6 |     timeouts: {run: 4}\n      |                     ^\n"
	}]}`, string(raw))
}

func TestPlacesCountCharacters(t *testing.T) {
	t.Parallel()
	p := problemsOf(t, "signalbox: v1\nname: x\ntasks:\n  a: {run: \"äöü\", env: {Ä: \"ß\"}, rnu: 1}\n")
	require.Len(t, p.List, 2)
	require.Equal(t, 25, p.List[0].Column)
	require.Equal(t, 34, p.List[1].Column)
	require.Equal(t, "did you mean `run`?", p.List[1].Hint)
}

func TestExcerptOfALongLine(t *testing.T) {
	t.Parallel()
	long := make([]byte, 5000)
	for i := range long {
		long[i] = 'x'
	}
	p := problemsOf(t, "signalbox: v1\nname: x\ntasks: {a: {run: "+string(long)+", lables: {}}}\n")
	require.Len(t, p.List, 1)
	require.Less(t, len(p.List[0].Excerpt), 400)
	require.Contains(t, p.List[0].Excerpt, "lables")
}

func TestTerminalsDoNotObeyExcerpts(t *testing.T) {
	t.Parallel()
	p := problemsOf(t, "signalbox: v1\nname: \x1b[31mred\n")
	for _, one := range p.List {
		require.NotContains(t, one.Text("x"), "\x1b")
	}
}

func TestWindowsLinesAndByteOrderMark(t *testing.T) {
	t.Parallel()
	plain, err := pipeline.Compile("a", []byte("signalbox: v1\nname: x\ntasks: {a: {run: echo}}\n"))
	require.NoError(t, err)
	windows, err := pipeline.Compile("b", []byte("\ufeffsignalbox: v1\r\nname: x\r\ntasks: {a: {run: echo}}\r\n"))
	require.NoError(t, err)
	require.Equal(t, plain.Digest, windows.Digest)
}
