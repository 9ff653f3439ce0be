package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/fakeplane"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"help"}, {"--help"}, nil} {
		out, code := command(t, "", args...)
		require.Zero(t, code)
		require.Contains(t, out, "signalbox-agent key import < FILE")
	}
	for _, args := range [][]string{{"stop"}, {"key"}, {"config"}, {"config", "edit"}} {
		out, code := command(t, "", args...)
		require.Equal(t, 2, code)
		require.Contains(t, out, "unknown command")
		require.Contains(t, out, "signalbox-agent start")
	}
	out, code := command(t, "", "start", "--help")
	require.Zero(t, code)
	require.Contains(t, out, "-log-retention")
	out, code = command(t, "", "version")
	require.Zero(t, code)
	require.NotEmpty(t, out)
}

func TestWrongFlagsAreOneLine(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"flag provided but not defined: -bogus": {"start", "--bogus"},
		"flag needs an argument: -name":         {"doctor", "--name"},
		`unexpected argument "now"`:             {"start", "--dir", t.TempDir(), "now"},
	} {
		out, code := command(t, "", args...)
		require.Equal(t, 2, code)
		require.Equal(t, "signalbox-agent: command line: "+want+"; `signalbox-agent start --help` lists the flags\n", out)
	}
}

func TestConfigPrint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, code := command(t, "", "config", "print", "--dir", dir, "--token", "sbj_secret", "--origin")
	require.Zero(t, code)
	require.Regexp(t, `(?m)^token = "REDACTED" +# flag$`, out)
	require.Regexp(t, `(?m)^log_level = "info" +# default$`, out)
	out, code = command(t, "", "config", "print", "--dir", dir)
	require.Zero(t, code)
	require.NotContains(t, out, "#")
}

func TestKeyExportAndImport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	out, code := command(t, "", "key", "export", "--dir", b.dir)
	require.Equal(t, 1, code)
	require.Contains(t, out, "holds no workspace key yet")

	a := b.start(t)
	kid := b.plane.Opened(1)[0].GetSealingKids()
	a.signal(t, syscall.SIGTERM)
	require.NoError(t, a.wait())
	exported, code := command(t, "", "key", "export", "--dir", b.dir)
	require.Zero(t, code)

	other := t.TempDir()
	out, code = command(t, exported, "key", "import", "--dir", other)
	require.Zero(t, code)
	require.Contains(t, out, "imported "+kid[0][:4])
	require.Contains(t, out, "within seconds")
	again, code := command(t, "", "key", "export", "--dir", other)
	require.Zero(t, code)
	require.Equal(t, exported, again)

	// A mounted Secret does the same at the start.
	mounted := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(mounted, []byte(exported), 0o600))
	second := &testBundle{plane: b.plane, dir: t.TempDir()}
	second.start(t, "--workspace-keys", mounted)
	require.Equal(t, kid, b.plane.Opened(2)[1].GetSealingKids())

	for _, wrong := range []string{"", "nonsense"} {
		_, code = command(t, wrong, "key", "import", "--dir", other)
		require.Equal(t, 1, code)
	}
	_, code = command(t, "", "key", "burn", "--dir", other)
	require.Equal(t, 2, code)
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	out, code := command(t, "", "doctor", "--dir", b.dir)
	require.Equal(t, 1, code)
	require.Contains(t, out, "FAIL  settings       configuration: set server")
	require.NotContains(t, out, "control plane  ", "there is nobody to ask")

	args := []string{"doctor", "--server", b.plane.URL, "--dir", b.dir}
	out, code = command(t, "", args...)
	require.Equal(t, 1, code)
	require.Contains(t, out, "FAIL  identity       this agent has not joined a pool yet")
	require.Contains(t, out, "ok    control plane  answers within")

	a := b.start(t)
	b.plane.Opened(1)
	a.signal(t, syscall.SIGTERM)
	require.NoError(t, a.wait())
	out, code = command(t, "", "doctor", "--dir", b.dir)
	require.Zero(t, code, out)
	require.Regexp(t, `ok    identity       agt_\w+, pool default`, out)
	require.Contains(t, out, "ok    clock          agrees with the control plane's")
	require.Regexp(t, `ok    workspace key  holds [0-9a-f]{16}`, out)
	require.Regexp(t, `ok    capacity       \d+ slots, \d+ cores, \d+ MiB`, out)

	b.plane.Revoke()
	out, code = command(t, "", append(args, "--policy", "/no/such/policy")...)
	require.Equal(t, 1, code)
	require.Contains(t, out, "FAIL  policy         read the policy")
	require.Contains(t, out, "FAIL  identity")
	require.NotContains(t, out, fakeplane.Token)
}

func TestDoctorShowsGPUs(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"ok    gpus           2 GPUs (h100)": {"--gpus", "2", "--gpu-type", "h100"},
		"ok    gpus           1 GPU\n":       {"--gpus", "1"},
		"ok    gpus           no GPU\n":      {"--gpus", "none", "--gpu-type", "h100"},
	} {
		out, _ := command(t, "", append([]string{"doctor", "--dir", t.TempDir()}, args...)...)
		require.Contains(t, out, want)
	}
}
