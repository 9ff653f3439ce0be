package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// doctor recounts everything and expects no difference.
func (s *stack) doctor() {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.programs.signalbox, "server", "doctor")
	cmd.Env = []string{"DATABASE_URL=" + s.database, "PATH=" + os.Getenv("PATH"), "HOME=" + s.dir}
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "%s", out)
}

// A step that runs until the test lets it go, and notes that it ran.
const waiting = `signalbox: v1
name: waiting
tasks:
  before:
    run: 'true'
  long:
    needs: [before]
    run: |
      echo "$$" >> "$MARKS/pids"
      while [ ! -e "$MARKS/go" ]; do sleep 0.1; done
    env: {MARKS: "MARKS_DIR"}
  after:
    needs: [long]
    run: 'true'
`

func (tn *tenant) startWaiting() (run, marks string) {
	tn.t.Helper()
	marks = tn.t.TempDir()
	tn.apply(strings.ReplaceAll(waiting, "MARKS_DIR", marks))
	run = tn.start("waiting")
	tn.running(run, "long")
	return run, marks
}

func letGo(t *testing.T, marks string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(marks, "go"), nil, 0o600))
}

func pids(t *testing.T, marks string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(marks, "pids"))
	require.NoError(t, err)
	return strings.Fields(string(b))
}

// An outage of ours costs nobody an attempt.
func TestKilledServersLoseNothing(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("hopper")
		tn.agent("one", 4)
		run, marks := tn.startWaiting()
		for _, p := range s.servers {
			p.kill()
		}
		away := time.NewTimer(30 * time.Second)
		letGo(t, marks) // the step ends while nobody listens
		<-away.C
		for _, p := range s.servers {
			p.start()
		}
		out := tn.finished(run, 60*time.Second)
		require.Equal(t, "succeeded", out.GetRun().GetState())
		for _, task := range out.GetTasks() {
			require.Len(t, task.GetAttempts(), 1, task.GetName())
		}
		require.Len(t, pids(t, marks), 1)
		s.doctor()
	})
}

func TestAKilledAgentsAttemptIsLostAndRepeated(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("lovelace")
		first := tn.agent("first", 4)
		run, marks := tn.startWaiting()
		tn.agent("second", 4)
		first.kill()
		killed := time.Now()
		eventually(t, 45*time.Second, "the attempt is lost", func() bool {
			list := attempts(tn.run(run), "long")
			return len(list) > 0 && list[0].GetState() == "lost"
		})
		t.Logf("lost after %s", time.Since(killed).Round(time.Millisecond))
		letGo(t, marks)
		out := tn.finished(run, 30*time.Second)
		require.Equal(t, "succeeded", out.GetRun().GetState())
		list := attempts(out, "long")
		require.Len(t, list, 2)
		require.Equal(t, "infra", list[0].GetCause())
		for _, x := range out.GetTasks() {
			require.Zero(t, x.GetUsedUser(), x.GetName())
		}
		// Its step died with the agent: nothing of it runs on.
		for _, pid := range pids(t, marks)[:1] {
			_, err := os.Stat("/proc/" + pid)
			require.ErrorIs(t, err, os.ErrNotExist)
		}
		s.doctor()
	})
}

func TestAFrozenAgentIsFencedOff(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("noether")
		first := tn.agent("first", 4)
		run, marks := tn.startWaiting()
		frozen := pids(t, marks)[0]
		tn.agent("second", 4)
		first.signal(syscall.SIGSTOP)
		eventually(t, 45*time.Second, "the attempt is lost", func() bool {
			list := attempts(tn.run(run), "long")
			return len(list) > 0 && list[0].GetState() == "lost"
		})
		first.signal(syscall.SIGCONT)
		eventually(t, 10*time.Second, "its step is ended", func() bool {
			_, err := os.Stat("/proc/" + frozen)
			return os.IsNotExist(err)
		})
		letGo(t, marks)
		out := tn.finished(run, 30*time.Second)
		require.Equal(t, "succeeded", out.GetRun().GetState())
		require.Len(t, attempts(out, "long"), 2)
		tn.online("first") // it goes on with a session of its own
		s.doctor()
	})
}
