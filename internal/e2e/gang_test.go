package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A gang whose members each leave a file; those of a first attempt wait until
// they are stopped, if the test wants that.
const gangPipeline = `signalbox: v1
name: %[1]s
tasks:
  train:
    gang: {size: 3, start_timeout: 2m}
    retry: {infra: 3}
    timeouts: {grace: 2s}
    outputs: {who: {type: string, open: true}}
    run: |
      echo "$MASTER_ADDR:$MASTER_PORT $WORLD_SIZE" > "%[2]s/$SB_RUN_ID.$SB_ATTEMPT.$RANK"
      test "$RANK" != 0 || printf "$SB_GANG_SIZE" > "$SB_OUTPUTS/who"
      if [ %[3]s = hang ] && [ "$SB_ATTEMPT" = 1 ]; then sleep 300; fi
      sleep 1
`

// keys exports what an agent opens values with, for others, and returns the file.
func (tn *tenant) keys(agent string) string {
	tn.t.Helper()
	export := exec.CommandContext(tn.t.Context(), tn.programs.agent, "key", "export", "--dir", filepath.Join(tn.dir, "agent-"+agent))
	keys, err := export.Output()
	require.NoError(tn.t, err)
	path := filepath.Join(tn.t.TempDir(), "workspace.keys")
	require.NoError(tn.t, os.WriteFile(path, keys, 0o600))
	return path
}

// members are the files of an attempt.
func members(t *testing.T, marks, run string, attempt int) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(marks, fmt.Sprintf("%s.%d.*", run, attempt)))
	require.NoError(t, err)
	return found
}

// Two gangs of three on four agents run one after the other, wherever their
// agents ask; when an agent dies all members stop, and the next attempt is whole.
func TestGangs(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("gina")
		marks := t.TempDir()
		tn.apply(fmt.Sprintf(gangPipeline, "short", marks, "pass"))
		agents := map[string]interface{ kill() }{}
		agents["a"] = tn.agent("a", 1, "SIGNALBOX_AGENT_ADDRESS=host-a")
		keys := "SIGNALBOX_AGENT_WORKSPACE_KEYS=" + tn.keys("a")
		for _, name := range []string{"b", "c", "d"} {
			agents[name] = tn.agent(name, 1, "SIGNALBOX_AGENT_ADDRESS=host-"+name, keys)
		}
		runs := []string{tn.start("short"), tn.start("short")}
		for _, run := range runs {
			require.Equal(t, "succeeded", tn.finished(run, 60*time.Second).GetRun().GetState())
			found := members(t, marks, run, 1)
			require.Len(t, found, 3)
			told := map[string]bool{}
			for _, f := range found {
				text, err := os.ReadFile(f)
				require.NoError(t, err)
				told[string(text)] = true
				require.Contains(t, string(text), " 3\n")
				require.Regexp(t, `^host-[a-d]:\d+ `, string(text), "where the gang meets")
			}
			require.Len(t, told, 1, "all members meet at one place")
		}

		tn.apply(fmt.Sprintf(gangPipeline, "hangs", marks, "hang"))
		run := tn.start("hangs")
		eventually(t, 30*time.Second, "three members run", func() bool { return len(members(t, marks, run, 1)) == 3 })
		var victim string
		eventually(t, 30*time.Second, "the run says who has it", func() bool {
			for _, task := range tn.run(run).GetTasks() {
				for _, attempt := range task.GetAttempts() {
					victim = attempt.GetAgentName()
				}
			}
			return victim != ""
		})
		require.NotNil(t, agents[victim], victim)
		agents[victim].kill()
		end := tn.finished(run, 90*time.Second)
		require.Equal(t, "succeeded", end.GetRun().GetState())
		require.Len(t, members(t, marks, run, 2), 3)
		require.Len(t, end.GetTasks()[0].GetAttempts(), 2)
		require.Equal(t, "lost", end.GetTasks()[0].GetAttempts()[0].GetState())
		s.doctor()
	})
}
