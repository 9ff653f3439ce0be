package config_test

import (
	"bytes"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/config"
)

type testBundle struct {
	args        []string
	environment map[string]string
	file        string
}

func setup(t *testing.T) *testBundle {
	t.Helper()
	return &testBundle{environment: map[string]string{"HOME": t.TempDir()}, file: filepath.Join(t.TempDir(), "agent.toml")}
}

func (b *testBundle) write(t *testing.T, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(b.file, []byte(content), 0o600))
}

func (b *testBundle) load(t *testing.T) (*config.Loaded, error) {
	t.Helper()
	return config.Load(t.Context(), config.Input{
		Args: b.args, File: b.file, Stderr: io.Discard,
		Lookup: func(name string) (string, bool) {
			value, ok := b.environment[name]
			return value, ok
		},
	})
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.args = []string{"--server", "http://127.0.0.1:7400"}
	loaded, err := b.load(t)
	require.NoError(t, err)
	require.NoError(t, loaded.Config.Validate())
	require.Equal(t, runtime.NumCPU(), loaded.Config.Slots)
	require.Equal(t, filepath.Join(b.environment["HOME"], ".signalbox-agent"), loaded.Config.Dir)
	require.Equal(t, 30*24*time.Hour, loaded.Config.LogRetention)
	require.Contains(t, loaded.Config.PassEnv, "PATH")
	require.NotEmpty(t, loaded.Config.Name)
	require.Equal(t, config.OriginDefault, loaded.Origins["slots"])
}

func TestFlagBeatsEnvironmentBeatsFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write(t, `
server = "https://from-file"
slots = 1
name = "from-file"
insecure = true
labels = {zone = "eu-1"}
pass_env = ["PATH", "CUDA_HOME"]
`)
	b.environment["SIGNALBOX_AGENT_SERVER"] = "https://from-env"
	b.environment["SIGNALBOX_AGENT_SLOTS"] = "2"
	b.environment["SIGNALBOX_AGENT_PORT"] = "tcp://invented-by-kubernetes"
	b.args = []string{"--server=https://overridden", "--server=https://from-flag", "--labels", "a=1", "--labels", "b=2,c=3", "extra"}
	loaded, err := b.load(t)
	require.NoError(t, err)
	c := loaded.Config
	require.Equal(t, "https://from-flag", c.Server)
	require.Equal(t, 2, c.Slots)
	require.Equal(t, "from-file", c.Name)
	require.True(t, c.Insecure)
	require.Equal(t, map[string]string{"a": "1", "b": "2", "c": "3"}, c.Labels)
	require.Equal(t, []string{"PATH", "CUDA_HOME"}, c.PassEnv)
	require.Equal(t, []string{"extra"}, loaded.Rest)
	for key, origin := range map[string]config.Origin{
		"server": config.OriginFlag, "slots": config.OriginEnv, "name": config.Origin(b.file),
		"labels": config.OriginFlag, "dir": config.OriginDefault,
	} {
		require.Equal(t, origin, loaded.Origins[key], key)
	}
}

func TestConfigFlag(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := filepath.Join(t.TempDir(), "other.toml")
	require.NoError(t, os.WriteFile(other, []byte(`name = "other"`), 0o600))
	b.write(t, `name = "default file"`)
	b.args = []string{"--config", other}
	loaded, err := b.load(t)
	require.NoError(t, err)
	require.Equal(t, "other", loaded.Config.Name)

	b.args = nil
	b.environment["SIGNALBOX_AGENT_CONFIG"] = "/no/such/file"
	_, err = b.load(t)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestRefusedInput(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		`slot = 3`:                  `unknown key "slot"; the keys are address, artifact_retention, artifacts,`,
		`labels = {a = 1}`:          "labels: want a table of strings",
		`labels = {a = "x,y"}`:      "labels: want a table of strings",
		`pass_env = ["a,b"]`:        "pass_env: want a list of strings",
		`name = 2026-01-01`:         "name: a value of this kind",
		"name = \"x\"\nslots = ":    "line 2, column",
		`slots = "many"`:            "Slots",
		`log_retention = "30 days"`: "LogRetention",
	} {
		b := setup(t)
		b.write(t, content)
		_, err := b.load(t)
		require.ErrorContains(t, err, want)
	}
	b := setup(t)
	b.args = []string{"--slot", "3"}
	_, err := b.load(t)
	require.ErrorContains(t, err, "-slot")
	b.args = []string{"--help"}
	_, err = b.load(t)
	require.ErrorIs(t, err, flag.ErrHelp)
	delete(b.environment, "HOME")
	b.args = nil
	_, err = b.load(t)
	require.ErrorContains(t, err, "set dir")
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"set server, the control plane's URL":                      nil,
		"want a URL as in":                                         {"--server", "signalbox.example.com"},
		"is plain HTTP to another machine":                         {"--server", "http://signalbox.example.com"},
		"a join token begins with sbj_":                            {"--token", "sbk_x"},
		"slots: want 1 to 10000, got -1":                           {"--slots", "-1"},
		`gpus: want auto, none or a number up to 1024, got "some"`: {"--gpus", "some"},
		`gpu_type: want letters, digits`:                           {"--gpu-type", "a 100"},
		"log_level: want debug":                                    {"--log-level", "loud"},
		"log_format: want text or json":                            {"--log-format", "xml"},
		`labels: "a"="": want 1 to 63`:                             {"--labels", "a="},
		"log_retention: must not be negative":                      {"--log-retention", "-1h"},
		"name: want 1 to 100 characters, got 200":                  {"--name", strings.Repeat("n", 200)},
		"server: want a URL as in https://signalbox.":              {"--server", "https://user:pass@host"},
	} {
		b := setup(t)
		b.args = args
		loaded, err := b.load(t)
		require.NoError(t, err)
		require.ErrorContains(t, loaded.Config.Validate(), want)
	}
	for _, args := range [][]string{
		{"--server", "http://localhost:7400"},
		{"--server", "http://[::1]:7400"},
		{"--server", "http://signalbox", "--insecure"},
		{"--server", "https://signalbox.example.com", "--token", "sbj_abc"},
	} {
		b := setup(t)
		b.args = args
		loaded, err := b.load(t)
		require.NoError(t, err)
		require.NoError(t, loaded.Config.Validate(), args)
	}
}

func TestPrint(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.args = []string{"--server", "https://x", "--token", "sbj_secret", "--labels", "b=2,a=1"}
	loaded, err := b.load(t)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, loaded.Print(&out, false))
	require.NotContains(t, out.String(), "sbj_secret")
	require.Contains(t, out.String(), "token = \"REDACTED\"\n")
	require.Contains(t, out.String(), "labels = {\"a\" = \"1\", \"b\" = \"2\"}\n")
	require.Contains(t, out.String(), "log_retention = \"720h0m0s\"\n")

	// What is printed can be read again.
	b.args = nil
	b.write(t, strings.ReplaceAll(out.String(), "REDACTED", "sbj_secret"))
	again, err := b.load(t)
	require.NoError(t, err)
	require.Equal(t, loaded.Config, again.Config)

	out.Reset()
	require.NoError(t, again.Print(&out, true))
	require.Regexp(t, `(?m)^server = "https://x" +# `+b.file+`$`, out.String())
}

func TestLogValueHidesTheToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.args = []string{"--token", "sbj_secret", "--slots", "3"}
	loaded, err := b.load(t)
	require.NoError(t, err)
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).LogAttrs(t.Context(), slog.LevelInfo, "start", slog.Any("config", loaded))
	require.Contains(t, out.String(), "config.token=REDACTED config.slots=3")
}
