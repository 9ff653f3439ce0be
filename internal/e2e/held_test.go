package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
)

// inState waits until a task of a run is in a state.
func (tn *tenant) inState(run, task, state string) *runv1.Task {
	tn.t.Helper()
	var found *runv1.Task
	eventually(tn.t, 20*time.Second, task+" is "+state, func() bool {
		for _, x := range tn.run(run).GetTasks() {
			if x.GetName() == task {
				found = x
			}
		}
		return found.GetState() == state
	})
	return found
}

func stateOf(r *runv1.GetRunResponse, task string) *runv1.Task {
	for _, x := range r.GetTasks() {
		if x.GetName() == task {
			return x
		}
	}
	return nil
}

// A wait fires once and at once, though nobody was there when its time came.
func TestAWaitOutlivesItsServer(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 2)
		tn.apply("signalbox: v1\nname: patient\ntasks:\n  rest:\n    wait: {for: 8s}\n  after:\n    needs: [rest]\n    run: 'true'\n")
		run := tn.start("patient")
		tn.inState(run, "rest", "held")
		for _, p := range s.servers {
			p.kill()
		}
		<-time.After(8 * time.Second) // nobody is there
		for _, p := range s.servers {
			p.start()
		}
		s.serving()
		end := tn.finished(run, 20*time.Second)
		require.Equal(t, "succeeded", end.GetRun().GetState())
		out := tn.must("run", "history", run, "--json", "--jq", `[.entries[] | select(.task == "rest")] | length`)
		require.Equal(t, "1\n", out)
		s.doctor()
	})
}

// A signal may come before its task, more than once, and its payload is an
// output as any other.
func TestSignalsComeEarlyAndTwice(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("grace")
		tn.agent("one", 2)
		dir := t.TempDir()
		tn.apply(`signalbox: v1
name: listening
tasks:
  first:
    run: 'sleep 2'
  data:
    needs: [first]
    signal: {name: data-ready, type: string}
  use:
    env: {FROM: "${{ tasks.data.outputs.payload }}"}
    run: 'printf "%s" "$FROM" > ` + filepath.Join(dir, "seen") + `'
`)
		run := tn.start("listening")
		for range 2 {
			tn.must("run", "signal", run, "data-ready", "--key", "k1", "--value", "s3://lake/x")
		}
		end := tn.finished(run, 30*time.Second)
		require.Equal(t, "succeeded", end.GetRun().GetState(), end)
		seen, err := os.ReadFile(filepath.Join(dir, "seen"))
		require.NoError(t, err)
		require.Equal(t, "s3://lake/x", string(seen))
		require.Equal(t, "1\n", tn.must("run", "history", run, "--json", "--jq", `[.entries[] | select(.kind == "signal_received")] | length`))
		s.doctor()
	})
}

const gated = `signalbox: v1
name: gated
tasks:
  sign-off:
    approve: {required: 2, not_requester: true}
  deploy:
    needs: [sign-off]
    run: 'true'
`

// What an approval asks is sealed on its way through, and read by whoever votes.
func TestWhatAnApprovalAsksIsSealed(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 2)
		tn.apply(`signalbox: v1
name: asking
tasks:
  train:
    run: 'echo 0.9731 > "$SB_OUTPUTS/auc"'
    outputs: {auc: float}
  sign-off:
    approve: {message: "Promote ${{ tasks.train.outputs.auc }}?"}
`)
		run := tn.start("asking")
		tn.inState(run, "sign-off", "held")
		require.Contains(t, tn.must("approval", "list"), "Promote 0.9731?")
		require.Equal(t, "Promote 0.9731?\n", tn.must("run", "values", run, "tasks.sign-off.message"))
		closed := tn.must("approval", "list", "--sealed", "--json", "--jq", ".approvals[0].message")
		require.Contains(t, closed, "sealed")
		require.NotContains(t, closed, "openJson")
		tn.must("approve", run, "sign-off")
		require.Equal(t, "succeeded", tn.finished(run, 20*time.Second).GetRun().GetState())
		s.doctor()
	})
}

func TestFourEyes(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("ada")
		tn.agent("one", 2)
		tn.apply(gated)
		run := tn.start("gated")
		tn.inState(run, "sign-off", "held")
		vote := func(token string, reject bool) error {
			other := *tn
			other.token = token
			client := &http.Client{Transport: bearer{&other}}
			_, err := runv1connect.NewApprovalServiceClient(client, tn.url).
				DecideApproval(t.Context(), &runv1.DecideApprovalRequest{RunId: run, Task: "sign-off", Reject: reject})
			return err
		}
		_, code := tn.cli("approve", run, "sign-off")
		require.Equal(t, 5, code, "whoever started it")
		_, code = tn.cli("run", "wait", run, "--exit-on", "approval")
		require.Equal(t, 12, code)
		bob, eve := tn.invite("bob", "member", "operator"), tn.invite("eve", "member", "operator")
		require.NoError(t, vote(bob, false))
		require.NoError(t, vote(eve, false))
		require.Equal(t, "succeeded", tn.finished(run, 20*time.Second).GetRun().GetState())
		require.Equal(t, "true\n", tn.must("audit", "verify", "--json", "--jq", ".intact"))

		run = tn.start("gated")
		tn.inState(run, "sign-off", "held")
		require.NoError(t, vote(bob, true))
		rejected := tn.finished(run, 20*time.Second)
		require.Equal(t, "failed", rejected.GetRun().GetState())
		require.Equal(t, "sign-off rejected by bob", rejected.GetRun().GetReason())
		err := vote(eve, false)
		require.Equal(t, connect.CodeFailedPrecondition, connect.CodeOf(err))

		tn.apply("signalbox: v1\nname: hasty\ntasks:\n  gate:\n    approve: {timeout: 2s, on_timeout: skip}\n  after:\n    needs: [gate]\n    run: 'true'\n")
		skipped := tn.finished(tn.start("hasty"), 15*time.Second)
		require.Equal(t, "skipped", stateOf(skipped, "gate").GetState())
		s.doctor()
	})
}

// A suspended step gives its slot back and starts again when the run goes on.
func TestPauseSuspendResume(t *testing.T) {
	t.Parallel()
	twice(t, func(s *stack) {
		t := s.t
		tn := s.signUp("lin")
		tn.agent("one", 2)
		flag := filepath.Join(t.TempDir(), "go")
		tn.apply("signalbox: v1\nname: long\ntasks:\n  step:\n    run: 'while [ ! -e " + flag + " ]; do sleep 0.1; done'\n  next:\n    needs: [step]\n    run: 'true'\n")
		run := tn.start("long")
		tn.running(run, "step")
		tn.must("run", "pause", run)
		require.Equal(t, "paused", tn.run(run).GetRun().GetState())
		require.Equal(t, "running", stateOf(tn.run(run), "step").GetState(), "what runs, runs on")
		tn.must("run", "suspend", run)
		eventually(t, 20*time.Second, "the step has stopped", func() bool {
			a := attempts(tn.run(run), "step")
			return len(a) == 1 && a[0].GetState() == "suspended"
		})
		require.NoError(t, os.WriteFile(flag, nil, 0o600))
		tn.must("run", "resume", run)
		end := tn.finished(run, 30*time.Second)
		require.Equal(t, "succeeded", end.GetRun().GetState())
		require.Len(t, attempts(end, "step"), 2)
		require.Zero(t, stateOf(end, "step").GetUsedInfra()+stateOf(end, "step").GetUsedUser())
		_, code := tn.cli("run", "resume", run)
		require.Equal(t, 6, code, "it has ended")
		s.doctor()
	})
}
