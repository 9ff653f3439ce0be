package secret_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/secret"
)

func TestParseReference(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"env:LAKE_TOKEN":            "",
		"file:/run/secrets/lake":    "",
		"LAKE_TOKEN":                "is no reference to a secret",
		"env:":                      "want the name of an environment variable",
		"env:A B":                   "want the name of an environment variable",
		"file:secrets/x":            "want an absolute path",
		"file:/run/../etc/shadow":   "want an absolute path",
		"k8s:ml/lake#token":         "k8s: is not supported yet",
		"vault:kv/lake#token":       "vault: is not supported yet",
		"secret://lake":             `unknown kind of secret "secret"`,
		"aws-sm:prod/lake#password": "aws-sm: is not supported yet",
	} {
		ref, err := secret.ParseReference(text)
		if want == "" {
			require.NoError(t, err)
			require.Equal(t, text, ref.String())
		} else {
			require.ErrorContains(t, err, want)
		}
	}
}

type testBundle struct {
	store *secret.Store
	dir   string // the customer's
	own   string // the agent's
}

func setup(t *testing.T) *testBundle {
	t.Helper()
	b := &testBundle{dir: t.TempDir(), own: t.TempDir()}
	environment := map[string]string{"TOKEN": "t0ken", "EMPTY": "", "SIGNALBOX_AGENT_TOKEN": "sbj_x"}
	b.store = secret.NewStore(func(name string) (string, bool) {
		value, ok := environment[name]
		return value, ok
	}, b.own)
	return b
}

func (b *testBundle) write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(b.dir, name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func (b *testBundle) resolve(t *testing.T, text string) (string, error) {
	t.Helper()
	ref, err := secret.ParseReference(text)
	require.NoError(t, err)
	value, err := b.store.Resolve(ref)
	return value.Reveal(), err
}

func TestResolve(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got, err := b.resolve(t, "env:TOKEN")
	require.NoError(t, err)
	require.Equal(t, "t0ken", got)

	got, err = b.resolve(t, "file:"+b.write(t, "key", "line one\nline two\n"))
	require.NoError(t, err)
	require.Equal(t, "line one\nline two", got)
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	own := filepath.Join(b.own, "agent.key")
	require.NoError(t, os.WriteFile(own, []byte("key"), 0o600))
	link := filepath.Join(b.dir, "link")
	require.NoError(t, os.Symlink(own, link))
	for text, want := range map[string]string{
		"env:MISSING":               "secret env:MISSING: the agent's environment has no such variable",
		"env:EMPTY":                 "secret env:EMPTY is empty",
		"env:SIGNALBOX_AGENT_TOKEN": "are the agent's own",
		"file:/no/such/file":        "secret file:/no/such/file: no such file or directory",
		"file:" + own:               "lies in the agent's own folder",
		"file:" + link:              "lies in the agent's own folder",
		"file:" + b.dir:             "is a directory",
		"file:" + b.write(t, "large", strings.Repeat("x", 65<<10)): "the file is larger than 64 KiB",
		"file:" + b.write(t, "nul", "a\x00b"):                      "holds a NUL byte",
		"file:" + b.write(t, "empty", "\n"):                        "is empty",
	} {
		_, err := b.resolve(t, text)
		require.ErrorContains(t, err, want)
	}
}

func TestValuesDoNotPrint(t *testing.T) {
	t.Parallel()
	value := secret.NewValue("hunter2")
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).LogAttrs(t.Context(), slog.LevelInfo, "x", slog.Any("value", value))
	encoded, err := json.Marshal(map[string]any{"v": value})
	require.NoError(t, err)
	printed := fmt.Sprint(value) + fmt.Sprintf("%v %+v %#v %s", value, value, value, value) + log.String() + string(encoded)
	require.NotContains(t, printed, "hunter2")
	require.Contains(t, printed, "REDACTED")
}
