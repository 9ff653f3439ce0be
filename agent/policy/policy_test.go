package policy_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/agent/policy"
)

const example = `
[allow]
pipelines = ["fraud-*"]
commands  = ["python", "/opt/ml/*"]
env       = ["LR", "LAKE_*"]
secrets   = ["env:LAKE_*", "file:/run/secrets/*"]
paths     = ["/srv/ml/*"]

[max]
run    = "12h"
cpu    = 8.5
memory = "64GiB"
`

// good is a task that the example admits.
func good() policy.Task {
	return policy.Task{
		Pipeline: "fraud-train", Command: "python", Env: []string{"LR", "LAKE_TOKEN"},
		Secrets: []string{"env:LAKE_TOKEN", "file:/run/secrets/x"}, Path: "/srv/ml/fraud",
		Run: time.Hour, CPUMillis: 8500, MemoryBytes: 64 << 30,
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	p, err := policy.Parse([]byte(example))
	require.NoError(t, err)
	require.NoError(t, p.Check(good()))
	for rule, spoil := range map[string]func(*policy.Task){
		"allow.pipelines": func(t *policy.Task) { t.Pipeline = "other" },
		"allow.scripts":   func(t *policy.Task) { t.Command = "" },
		"allow.commands":  func(t *policy.Task) { t.Command = "rm" },
		"allow.env":       func(t *policy.Task) { t.Env = append(t.Env, "LD_PRELOAD") },
		"allow.secrets":   func(t *policy.Task) { t.Secrets = append(t.Secrets, "env:AWS_SECRET_ACCESS_KEY") },
		"allow.paths":     func(t *policy.Task) { t.Path = "/etc" },
		"max.run":         func(t *policy.Task) { t.Run = 13 * time.Hour },
		"max.cpu":         func(t *policy.Task) { t.CPUMillis = 9000 },
		"max.memory":      func(t *policy.Task) { t.MemoryBytes++ },
	} {
		task := good()
		spoil(&task)
		var violation *policy.ViolationError
		require.ErrorAs(t, p.Check(task), &violation, rule)
		require.Equal(t, rule, violation.Rule)
		require.Contains(t, violation.Error(), "refused by the agent's policy, rule "+rule+": ")
	}
	unlimited := good()
	unlimited.Run = 0
	require.ErrorContains(t, p.Check(unlimited), "rule max.run")
}

func TestAllAndNothing(t *testing.T) {
	t.Parallel()
	require.NoError(t, policy.All().Check(policy.Task{}))
	require.Nil(t, policy.All().Digest())
	empty, err := policy.Parse(nil)
	require.NoError(t, err)
	require.ErrorContains(t, empty.Check(good()), "rule allow.pipelines")
}

func TestLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.toml")
	require.NoError(t, os.WriteFile(path, []byte(example), 0o600))
	p, err := policy.Load(path)
	require.NoError(t, err)
	digest := sha256.Sum256([]byte(example))
	require.Equal(t, digest[:], p.Digest())
	_, err = policy.Load(path + ".missing")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[allow]\ncomands = [\"x\"]":      `line 2, column 1: unknown key "allow.comands"`,
		"[deny]\nx = 1":                   `unknown key "deny`,
		"[allow]\nscripts = \"yes\"":      "line 2",
		"[allow\n":                        "line 1",
		"[max]\nrun = \"12\"":             "max.run: want a duration",
		"[max]\nrun = \"-1h\"":            "max.run: want a duration",
		"[max]\ncpu = -1":                 "max.cpu: want a number of cores",
		"[max]\nmemory = \"64GB\"":        "max.memory: want a size as in 512Mi or 64GiB",
		"[max]\nmemory = \"999999999Ti\"": "is too large",
	} {
		_, err := policy.Parse([]byte(text))
		require.ErrorContains(t, err, want)
	}
}

// TestPatterns compares with the regular expression that a pattern means.
func TestPatterns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*]{0,6}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab/]{0,8}`).Draw(t, "text")
		p, err := policy.Parse([]byte("[allow]\npipelines = ['" + pattern + "']\nscripts = true"))
		require.NoError(t, err)
		meaning := regexp.MustCompile("^" + strings.ReplaceAll(pattern, "*", ".*") + "$")
		require.Equal(t, meaning.MatchString(text), p.Check(policy.Task{Pipeline: text}) == nil)
	})
}
