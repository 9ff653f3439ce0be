package cli_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// moments are what a stream says while the run goes through the states.
func (f *fake) moments(states ...string) []*runv1.WatchRunResponse {
	var out []*runv1.WatchRunResponse
	for _, s := range states {
		if s == "" {
			out = append(out, nil) // the stream breaks
			continue
		}
		f.runState = s
		out = append(out, &runv1.WatchRunResponse{Run: f.theRun(), Tasks: f.tasks()})
	}
	return out
}

func TestWatchTellsEachChangeOnceAndTheWholeAtTheEnd(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.watch = d.fake.moments("running", "running", "", "running", "succeeded")
	r := d.run("watch", run12)
	require.Zero(t, r.code, r.err)
	require.Equal(t, 1, strings.Count(r.err, "The connection was lost (the server restarts)"))
	lines, tree, found := strings.Cut(r.out, "\n\n")
	require.True(t, found)
	require.Equal(t, []string{
		"2026-11-20T11:57:30Z  ● running          train#12  running  2m 30s  1/4 tasks  " + run12,
		"2026-11-20T11:57:44Z  ✓ succeeded        prepare  after 12s",
		"2026-11-20T11:58:41Z  ● running          train  attempt 2, on gpu-1",
		"2026-11-20T11:59:40Z  ✓ succeeded        train  after 59s, attempt 2",
		"2026-11-20T12:00:00Z  ✓ succeeded        evaluate",
		"2026-11-20T12:00:00Z  – skipped          page",
		"2026-11-20T11:59:50Z  ✓ succeeded        train#12  succeeded  2m 20s  4/4 tasks  " + run12,
	}, strings.Split(lines, "\n"))
	require.True(t, strings.HasPrefix(tree, "✓ train#12"), tree)
	require.Len(t, d.fake.called("WatchRun"), 2)
}

func TestWatchDrawsATreeOnATerminal(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.screen = true
	d.fake.watch = d.fake.moments("running", "failed")
	r := d.run("watch", run12)
	require.Equal(t, 9, r.code)
	require.Contains(t, r.out, "\x1b[5A", "the second drawing covers the first")
	require.Contains(t, r.out, "\x1b[31m✗\x1b[0m train")
	require.Contains(t, r.out, "also needs prepare")

	d.env["NO_COLOR"] = "1"
	d.fake.watched = 0
	r = d.run("watch", run12)
	require.NotContains(t, r.out, "\x1b[31m")
}

func TestWatchSaysJSONByLine(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.watch = d.fake.moments("running", "canceled")
	r := d.run("watch", run12, "--json")
	require.Equal(t, 11, r.code)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	require.Len(t, lines, 2)
	require.True(t, strings.HasPrefix(lines[0], `{"run":{"id":"`+run12), lines[0])
	require.Equal(t, 2, d.run("watch", run12, "-o", "name").code)
}

func TestExitOnFailingLeavesARunThatGoesOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code int
		args []string
	}{
		{10, []string{"watch", run12, "--exit-on", "failing"}},
		{9, []string{"watch", run12}},
		{10, []string{"run", "wait", run12, "--exit-on", "failing"}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			t.Parallel()
			// A server of its own: the one that was left still sends for a moment.
			d := setup(t)
			moments := d.fake.moments("running")
			moments[0].Tasks[1].State = "failed"
			d.fake.watch = append(moments, d.fake.moments("failed")...)
			require.Equal(t, c.code, d.run(c.args...).code)
		})
	}
}

func TestAnInterruptedWatchSaysThatTheRunGoesOn(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.watch = append(d.fake.moments("running"), nil)
	d.fake.watch = append(d.fake.watch, d.fake.moments("running")...)
	ctx, cancel := context.WithCancel(t.Context())
	stop := context.AfterFunc(d.fake.sent(2), cancel)
	defer stop()
	r := d.runContext(ctx, "watch", run12)
	require.Equal(t, 130, r.code)
	require.Contains(t, r.err, "the run goes on")
	require.Contains(t, r.err, "signalbox cancel "+run12)
}

// sent is done when WatchRun has been called for the n-th time.
func (f *fake) sent(n int) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	f.onWatch = func(calls int) {
		if calls == n {
			cancel()
		}
	}
	return ctx
}

func TestWaitGivesUpAfterItsTimeout(t *testing.T) {
	t.Parallel()
	d := setup(t)
	r := d.run("run", "wait", run12, "--timeout", (20 * time.Millisecond).String())
	require.Equal(t, 75, r.code)
	require.Contains(t, r.err, "the run has not ended after 20ms")
}

func TestWatchOfAMissingRunEndsAtOnce(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.fail["WatchRun"] = missing("run", run12)
	require.Equal(t, 3, d.run("watch", run12).code)
	require.Len(t, d.fake.called("WatchRun"), 1)
}
