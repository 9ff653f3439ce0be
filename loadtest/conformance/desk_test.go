package conformance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/loadtest/stack"
)

// desk is a person with an organization of their own, at a command line.
type desk struct {
	t       *testing.T
	house   *house
	account stack.Account
	dir     string
}

// sit signs somebody up.
func (h *house) sit(t *testing.T, name string) *desk {
	t.Helper()
	dir, err := os.MkdirTemp(h.dir, "d") //nolint:usetesting // its path stands in pipelines: no name of a test in it
	require.NoError(t, err)
	d := &desk{t: t, house: h, dir: dir}
	d.eventually(time.Minute, name+" has signed up", func() bool {
		// Who signs up too often from one address is asked to wait.
		d.account, err = h.server.SignUp(t.Context(), name)
		return connect.CodeOf(err) != connect.CodeResourceExhausted
	})
	require.NoError(t, err)
	return d
}

// cli runs signalbox, and returns what it prints, errors last, and its exit code.
func (d *desk) cli(args ...string) (out, failure string, code int) {
	d.t.Helper()
	programs, err := built()
	require.NoError(d.t, err)
	cmd := exec.CommandContext(d.t.Context(), programs.signalbox, args...)
	cmd.Env = []string{
		"PATH=" + filepath.Dir(programs.agent) + ":/usr/local/bin:/usr/bin:/bin", "HOME=" + d.dir, "NO_COLOR=1",
		"SIGNALBOX_SERVER=" + d.house.server.URL, "SIGNALBOX_TOKEN=" + d.account.Token,
		"SIGNALBOX_ORG=" + d.account.Organization, "SIGNALBOX_WORKSPACE=" + d.account.Workspace,
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		exited, ok := errors.AsType[*exec.ExitError](err)
		require.True(d.t, ok, "%v", err)
		code = exited.ExitCode()
	}
	return stdout.String(), stderr.String(), code
}

// must runs a command that succeeds.
func (d *desk) must(args ...string) string {
	d.t.Helper()
	out, failure, code := d.cli(args...)
	require.Zero(d.t, code, "signalbox %s: %s%s", strings.Join(args, " "), out, failure)
	return strings.TrimSpace(out)
}

// refused runs a command that ends with that code, and returns what it complains of.
func (d *desk) refused(want int, args ...string) string {
	d.t.Helper()
	out, failure, code := d.cli(args...)
	require.Equal(d.t, want, code, "signalbox %s: %s%s", strings.Join(args, " "), out, failure)
	return failure
}

// ask reads the JSON that a command prints into v.
func (d *desk) ask(v any, args ...string) {
	d.t.Helper()
	require.NoError(d.t, json.Unmarshal([]byte(d.must(append(args, "--json")...)), v))
}

// write copies a pipeline of the folder, with texts replaced in pairs.
func (d *desk) write(file string, replace ...string) string {
	d.t.Helper()
	text, err := os.ReadFile(filepath.Join("pipelines", file))
	require.NoError(d.t, err)
	path := filepath.Join(d.dir, file)
	require.NoError(d.t, os.WriteFile(path, []byte(strings.NewReplacer(replace...).Replace(string(text))), 0o600))
	return path
}

// apply uploads one.
func (d *desk) apply(file string, replace ...string) {
	d.t.Helper()
	d.must("apply", d.write(file, replace...))
}

// start starts a run and returns its id.
func (d *desk) start(pipeline string, args ...string) string {
	d.t.Helper()
	return d.must(append([]string{"run", "start", pipeline, "-o", "name"}, args...)...)
}

// agent starts an agent of the pool default and waits until it is online. A
// second one is given the workspace's key of the first.
func (d *desk) agent(name string, slots int, args ...string) *stack.Agent {
	d.t.Helper()
	return d.agentOf("default", name, slots, args...)
}

func (d *desk) agentOf(pool, name string, slots int, args ...string) *stack.Agent {
	d.t.Helper()
	programs, err := built()
	require.NoError(d.t, err)
	keys := filepath.Join(d.dir, "workspace.key")
	flags := []string{"--name", name, "--slots", strconv.Itoa(slots)}
	if _, err := os.Stat(keys); err == nil {
		flags = append(flags, "--workspace-keys", keys)
	}
	dir := filepath.Join(d.dir, "agent-"+name)
	agent, err := stack.StartAgent(d.t.Context(), stack.AgentOptions{
		Program: programs.agent, Dir: dir, Server: d.house.server.URL,
		Token: d.must("pool", "join-token", pool, "--jq", ".token"), Args: append(flags, args...),
	})
	require.NoError(d.t, err)
	d.t.Cleanup(func() {
		_ = agent.Stop()
		if log, err := os.ReadFile(agent.Log()); err == nil && d.t.Failed() {
			d.t.Logf("the agent %s said:\n%s", name, log)
		}
	})
	d.eventually(20*time.Second, name+" is online", func() bool {
		return strings.Contains(d.must("agent", "list", "--jq", `.agents[] | select(.name == "`+name+`" and .state == "online" and .holdsSealingKey) | .id`), "agt_")
	})
	if _, err := os.Stat(keys); err != nil {
		export := exec.CommandContext(d.t.Context(), programs.agent, "key", "export", "--dir", dir)
		key, err := export.Output()
		require.NoError(d.t, err)
		require.NoError(d.t, os.WriteFile(keys, key, 0o600))
	}
	return agent
}

// eventually waits until what is asked holds.
func (d *desk) eventually(patience time.Duration, what string, ask func() bool) {
	d.t.Helper()
	end := time.Now().Add(patience)
	for !ask() {
		require.True(d.t, time.Now().Before(end), "after %s: %s", patience, what)
		<-time.After(100 * time.Millisecond)
	}
}
