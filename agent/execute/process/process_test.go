package process_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/execute"
	"github.com/signalboxhq/signalbox/agent/execute/process"
)

func TestExitCodesAndOutput(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	b := setup(t, `pwd; echo "$GREETING" >&2; exit 77`)
	b.spec.Env = append(b.spec.Env, "GREETING=hello")
	b.spec.Stdout, b.spec.Stderr = &stdout, &stderr
	result := b.start(t).Wait()
	require.Equal(t, execute.EndExited, result.End)
	require.Equal(t, 77, result.ExitCode)
	require.Equal(t, b.dir+"\n", stdout.String())
	require.Equal(t, "hello\n", stderr.String())
	require.Positive(t, result.Ran())
	require.Positive(t, result.MaxRSS)
	require.Empty(t, result.Left)
}

func TestEnvironmentIsNotInherited(t *testing.T) {
	t.Parallel()
	var stdout bytes.Buffer
	b := setup(t, "")
	b.spec.Script, b.spec.Argv, b.spec.Stdout = "", []string{"env"}, &stdout
	b.spec.Env = append(b.spec.Env, "ONLY=this")
	require.Equal(t, execute.EndExited, b.start(t).Wait().End)
	require.ElementsMatch(t, b.spec.Env, strings.Split(strings.TrimSpace(stdout.String()), "\n"))
}

func TestScriptEndsAtItsFirstFailure(t *testing.T) {
	t.Parallel()
	result := setup(t, "false\ntouch not-here\n").run(t)
	require.Equal(t, 1, result.ExitCode)
	_, err := os.Stat("not-here")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestOutputIsWholeHoweverLong(t *testing.T) {
	t.Parallel()
	var stdout bytes.Buffer
	b := setup(t, `head -c 3000000 /dev/zero`)
	b.spec.Stdout = &stdout
	require.Equal(t, execute.EndExited, b.start(t).Wait().End)
	require.Equal(t, 3_000_000, stdout.Len())
}

// brokenWriter is a log on a full disk.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestBrokenLogDoesNotBreakTheStep(t *testing.T) {
	t.Parallel()
	b := setup(t, `head -c 300000 /dev/zero; echo done`)
	b.spec.Stdout = brokenWriter{}
	require.Equal(t, 0, b.start(t).Wait().ExitCode)
}

func TestNotStarted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		argv []string
		dir  string
		code int
		text string
	}{
		{"no command", []string{"no-such-command"}, "", 127, "no-such-command: command not found"},
		{"no file", []string{"./missing"}, "", 127, "./missing: no such file, or its interpreter is missing"},
		{"not executable", []string{"/dev/null"}, "", 126, "/dev/null: permission denied"},
		{"no folder", []string{"true"}, "/no/such/folder", 126, "the working folder: chdir /no/such/folder: no such file or directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, "")
			b.spec.Script, b.spec.Argv = "", test.argv
			if test.dir != "" {
				b.spec.Dir = test.dir
			}
			result := b.run(t)
			require.Equal(t, execute.EndNotStarted, result.End)
			require.Equal(t, test.code, result.ExitCode)
			require.EqualError(t, result.Err, test.text)
			require.Zero(t, result.Ran())
		})
	}
}

func TestSpecsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 131_072)
	for text, spec := range map[string]execute.Spec{
		"needs a script or a command": {},
		"not both":                    {Script: "true", Argv: []string{"true"}},
		"argument 1 has 131072 bytes": {Argv: []string{"echo", huge}},
		"read $SB_INPUTS/LIST instead": {
			Argv: []string{"true"}, Env: []string{"LIST=" + huge},
		},
		"argument 1 holds a NUL byte":          {Argv: []string{"echo", "a\x00b"}},
		"environment variable A holds a NUL":   {Argv: []string{"true"}, Env: []string{"A=\x00"}},
		"argument 3 has 131072 bytes, the sys": {Script: huge},
	} {
		_, err := newExecutor().Start(t.Context(), spec)
		require.ErrorContains(t, err, text)
	}
}

func TestSignaledByOthers(t *testing.T) {
	t.Parallel()
	result := setup(t, `kill -KILL $$`).run(t)
	require.Equal(t, execute.EndSignaled, result.End)
	require.Equal(t, "killed", result.Signal)
	require.Equal(t, 137, result.ExitCode)
	require.Equal(t, "ended by signal: killed", result.String())
}

func TestBrokenGuard(t *testing.T) {
	t.Parallel()
	for _, argv := range [][]string{{"/no/such/agent"}, {"true"}} {
		b := setup(t, `true`)
		attempt, err := process.New(argv).Start(t.Context(), b.spec)
		require.NoError(t, err)
		result := attempt.Wait()
		require.Equal(t, execute.EndBroken, result.End)
		require.Error(t, result.Err)
	}
}
