package follow_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/follow"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func ago(s int) *timestamppb.Timestamp {
	return timestamppb.New(noon.Add(-time.Duration(s) * time.Second))
}

func task(name, state string, needs ...string) *runv1.Task {
	return &runv1.Task{Name: name, State: state, Needs: needs}
}

func TestTreeFitsAGraph(t *testing.T) {
	t.Parallel()
	backoff := task("fetch", "backoff")
	backoff.Attempts = []*runv1.Attempt{{Number: 1, State: "timed_out", Cause: "timeout", GrantedAt: ago(90), FinishedAt: ago(30)}}
	backoff.RetryAt = timestamppb.New(noon.Add(12 * time.Second))
	leased := task("merge", "running", "left", "right", "fetch")
	leased.Attempts = []*runv1.Attempt{{Number: 1, State: "leased", GrantedAt: ago(2)}}
	skipped := task("gate", "skipped", "merge")
	skipped.Reason = "exit 77"
	exit := task("page", "pending")
	exit.Exit = "always"
	res := &runv1.WatchRunResponse{
		Run: &runv1.Run{Id: "run_1", Pipeline: "p", Number: 3, State: "running", StartedAt: ago(90), TasksTotal: 6, TasksDone: 2},
		Tasks: []*runv1.Task{
			backoff, task("left", "succeeded"), task("right", "newstate", "left"), leased, skipped, exit,
		},
	}
	require.Equal(t, []string{
		"● p#3  running  1m 30s  2/6 tasks  run_1",
		"├─ ◌ fetch          backoff         1m 00s   timed_out, next try in 12s",
		"├─ ✓ left           succeeded",
		"│  └─ · right       newstate",
		"│     └─ ◌ merge    leased          2.0s     also needs left, fetch",
		"│        └─ – gate  skipped                  exit 77",
		"└─ ○ page           pending                  on exit: always",
	}, follow.Tree(output.Painter{}, res, noon))
}

func TestWhatHasPartsTookAsLongAsThey(t *testing.T) {
	t.Parallel()
	parts := task("train", "expanding")
	parts.Items = &runv1.Items{}
	_, ok := follow.Took(parts, noon)
	require.False(t, ok)
	parts.Items.FirstStart = ago(90)
	took, ok := follow.Took(parts, noon)
	require.True(t, ok)
	require.Equal(t, 90*time.Second, took)
	parts.Items.LastEnd = ago(30)
	took, _ = follow.Took(parts, noon)
	require.Equal(t, time.Minute, took)

	step := task("fetch", "succeeded")
	step.Attempts = []*runv1.Attempt{{Number: 1, State: "succeeded", StartedAt: ago(12), FinishedAt: ago(10)}}
	took, ok = follow.Took(step, noon)
	require.True(t, ok)
	require.Equal(t, 2*time.Second, took)
}

func TestAReadyTaskSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	ready, running := task("fetch", "ready"), task("merge", "running")
	ready.Pool, running.Pool = "gpu-eu", "gpu-eu"
	require.Equal(t, "waits for an agent of pool gpu-eu", follow.Waiting(ready))
	require.Empty(t, follow.Waiting(running))
	tree := follow.Tree(output.Painter{}, &runv1.WatchRunResponse{Run: &runv1.Run{State: "running"}, Tasks: []*runv1.Task{ready}}, noon)
	require.Contains(t, tree[1], "waits for an agent of pool gpu-eu")
}

func TestAnEndingSaysNothingTwice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		attempt *runv1.Attempt
		shown   string
		want    string
	}{
		{&runv1.Attempt{State: "timed_out", Cause: "timeout"}, "failed", "timed_out"},
		{&runv1.Attempt{State: "canceled", Cause: "control"}, "canceled", ""},
		{&runv1.Attempt{State: "canceled", Cause: "control"}, "failed", "canceled"},
		{&runv1.Attempt{State: "canceled", Cause: "control", Reason: "the run was canceled"}, "canceled", "the run was canceled"},
		{&runv1.Attempt{State: "timed_out", Cause: "infra"}, "failed", "timed_out (infra)"},
		{&runv1.Attempt{State: "lost", Cause: "infra"}, "failed", "lost (infra)"},
		{&runv1.Attempt{State: "failed", Cause: "user", ExitCode: 1}, "failed", "exit 1"},
	} {
		c.attempt.FinishedAt = ago(1)
		require.Equal(t, c.want, follow.Ending(c.attempt, c.shown))
	}
}

func TestADeepChainStopsMovingRight(t *testing.T) {
	t.Parallel()
	res := &runv1.WatchRunResponse{Run: &runv1.Run{}}
	var needs []string
	for i := range 40 {
		name := string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		res.Tasks = append(res.Tasks, task(name, "pending", needs...))
		needs = []string{name}
	}
	lines := follow.Tree(output.Painter{}, res, noon)
	require.Len(t, lines, 41)
	for _, l := range lines[1:] {
		require.Less(t, len([]rune(l)), 60)
	}
}

func TestScreenCoversWhatItDrew(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := &follow.Screen{Out: &out, Size: func() (int, int) { return 5, 6 }}
	s.Draw([]string{"\x1b[31mabcdefgh\x1b[0m", "b"})
	require.Equal(t, "\r\x1b[2K\x1b[31mabcde\x1b[0m\n\r\x1b[2Kb\n\x1b[J", out.String())
	out.Reset()
	s.Draw([]string{"1", "2", "3", "4", "5", "6", "7"})
	require.True(t, strings.HasPrefix(out.String(), "\x1b[2A"), out.String())
	require.Equal(t, 5, strings.Count(out.String(), "\n"), "one line less than there is room")
	require.Contains(t, out.String(), "   …", "what is left out is said")
}

// script is a stream that says what it was given, then fails.
type script struct {
	say []string
	err error
	now *runv1.WatchRunResponse
}

func (s *script) Receive() bool {
	if len(s.say) == 0 {
		return false
	}
	s.now = &runv1.WatchRunResponse{Run: &runv1.Run{State: s.say[0]}}
	s.say = s.say[1:]
	return true
}
func (s *script) Msg() *runv1.WatchRunResponse { return s.now }
func (s *script) Err() error                   { return s.err }
func (s *script) Close() error                 { return nil }

func TestWatchOutlivesTheServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := connect.NewError(connect.CodeUnavailable, io.EOF)
		opens := []func() (follow.Stream, error){
			func() (follow.Stream, error) { return &script{say: []string{"running"}, err: down}, nil },
			func() (follow.Stream, error) { return nil, down },
			func() (follow.Stream, error) { return nil, down },
			func() (follow.Stream, error) { return &script{say: []string{"running"}}, nil }, // ended without an error
			func() (follow.Stream, error) { return &script{say: []string{"succeeded", "never"}}, nil },
		}
		var waits []int
		var lost []error
		var states []string
		last, err := follow.Watch{
			Open: func(context.Context) (follow.Stream, error) {
				open := opens[0]
				opens = opens[1:]
				return open()
			},
			Delay: func(attempt int) time.Duration { waits = append(waits, attempt); return time.Second },
			Lost:  func(err error) { lost = append(lost, err) },
		}.Each(t.Context(), func(res *runv1.WatchRunResponse) error {
			states = append(states, res.GetRun().GetState())
			if res.GetRun().GetState() == "succeeded" {
				return errors.New("stop reading") // after the end nothing counts
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, "succeeded", last.GetRun().GetState())
		require.Equal(t, []string{"running", "running", "succeeded"}, states)
		require.Equal(t, []int{1, 2, 3, 1}, waits, "each silence waits longer, each word resets it")
		require.Len(t, lost, 2, "told once for each loss")
	})
}

func TestWatchEndsWithRefusals(t *testing.T) {
	t.Parallel()
	refusals := []error{
		connect.NewWireError(connect.CodeNotFound, errors.New("no run")),
		connect.NewWireError(connect.CodeInternal, errors.New("defect")),
		errors.New("written down"),
	}
	for _, refusal := range refusals {
		_, err := follow.Watch{
			Open: func(context.Context) (follow.Stream, error) { return nil, refusal },
			Lost: func(err error) { t.Errorf("lost: %v", err) },
		}.Each(t.Context(), nil)
		require.ErrorIs(t, err, refusal)
	}

	own := connect.NewError(connect.CodeUnavailable, errors.New("the reader's own"))
	_, err := follow.Watch{
		Open: func(context.Context) (follow.Stream, error) { return &script{say: []string{"running"}}, nil },
		Lost: func(err error) { t.Errorf("lost: %v", err) },
	}.Each(t.Context(), func(*runv1.WatchRunResponse) error { return own })
	require.ErrorIs(t, err, own)
}

func TestLogSaysAChangeOnce(t *testing.T) {
	t.Parallel()
	l := &follow.Log{}
	res := &runv1.WatchRunResponse{
		Run:   &runv1.Run{Id: "run_1", Pipeline: "p", Number: 1, State: "pending", Reason: "pipeline_paused"},
		Tasks: []*runv1.Task{task("a", "ready")},
	}
	require.Equal(t, []string{"2026-11-20T12:00:00Z  ○ pending          p#1  pending  (pipeline_paused)  0/0 tasks  run_1"}, l.Lines(res, noon))
	require.Empty(t, l.Lines(res, noon))
	res.Tasks[0] = task("a", "running")
	res.Tasks[0].Attempts = []*runv1.Attempt{{Number: 1, State: "starting", GrantedAt: ago(3), AgentName: "x"}}
	require.Equal(t, []string{"2026-11-20T11:59:57Z  ◌ starting         a  on x"}, l.Lines(res, noon))
	res.Tasks[0].State = "backoff"
	res.Tasks[0].Attempts[0] = &runv1.Attempt{Number: 1, State: "failed", ExitCode: 3, Cause: "user", GrantedAt: ago(3), FinishedAt: ago(1)}
	require.Equal(t, []string{"2026-11-20T11:59:59Z  ◌ backoff          a  after 2.0s, exit 3"}, l.Lines(res, noon))
}
