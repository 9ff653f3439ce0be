package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

// logLine is a line as an agent sends it.
func logLine(offset int, stream, text string) string {
	return fmt.Sprintf(`{"offset":%d,"time":"2026-11-20T11:58:00.5Z","stream":%q,"text":%q}`+"\n", offset, stream, text)
}

func TestLogsOfATask(t *testing.T) {
	t.Parallel()
	d := setup(t)
	whole := logLine(0, "stdout", "epoch 1\nepoch 2\n") + logLine(60, "stderr", "careful\n")
	d.fake.logs["train"] = []string{whole[:20], whole[20:]} // frames end anywhere
	r := d.run("logs", run12, "train")
	require.Zero(t, r.code, r.err)
	require.Equal(t, "epoch 1\nepoch 2\ncareful\n", r.out)

	r = d.run("logs", run12, "train", "-t")
	require.Equal(t, "2026-11-20T11:58:00.500Z epoch 1", strings.Split(r.out, "\n")[0])

	r = d.run("logs", run12, "train", "--attempt", "2", "--json")
	require.Equal(t, `{"task":"train","attempt":2,"offset":60,"time":"2026-11-20T11:58:00.5Z","stream":"stderr","text":"careful\n"}`,
		strings.Split(r.out, "\n")[1])
}

func TestAMissingAttemptIsToldAsSuch(t *testing.T) {
	t.Parallel()
	d := setup(t)
	r := d.run("logs", run12, "train", "--attempt", "7")
	require.Equal(t, 3, r.code)
	require.Equal(t, "error: train of train#12 has no attempt 7\n  hint: its last is attempt 2, which is read without --attempt\n", r.err)
	r = d.run("logs", run12, "evaluate", "--attempt", "1", "--follow")
	require.Equal(t, 3, r.code)
	require.Contains(t, r.err, "hint: it was not started yet")
	require.Empty(t, d.fake.called("OpenDataStream"), "the agent is not asked")
}

func TestLogsOfARunNameTheirTasks(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.logs["prepare"] = []string{logLine(0, "stdout", "rows: 12")}
	d.fake.logs["train"] = []string{logLine(0, "stdout", "epoch 1")}
	r := d.run("logs")
	require.Zero(t, r.code, r.err)
	require.Equal(t, "prepare  | rows: 12\ntrain    | epoch 1\n", r.out)

	delete(d.fake.logs, "prepare")
	r = d.run("logs", "@latest")
	require.Zero(t, r.code)
	require.Equal(t, "train    | epoch 1\n", r.out)
	require.Contains(t, r.err, "prepare, attempt 1: no log: the log was swept")

	r = d.run("logs", "@latest", "prepare")
	require.Equal(t, 3, r.code)
	require.Contains(t, r.err, "reason: DATA_GONE")
}

// A record is what one read of the pipe gave: it ends anywhere in a line.
func TestLogsPutLinesTogether(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.logs["prepare"] = []string{logLine(0, "stdout", "only")}
	d.fake.logs["train"] = []string{
		logLine(0, "stdout", "one\ntw"), logLine(40, "stdout", "o\nthr"), logLine(80, "stderr", "careful\n"), logLine(120, "stdout", "ee"),
	}
	r := d.run("logs", run12)
	require.Zero(t, r.code, r.err)
	require.Equal(t, "prepare  | only\ntrain    | one\ntrain    | two\ntrain    | careful\ntrain    | three\n", r.out)

	// Alone on the screen, what is there of a line is shown at once.
	r = d.run("logs", run12, "train")
	require.Zero(t, r.code, r.err)
	require.Equal(t, "one\ntwo\nthr\ncareful\nee\n", r.out)
}

func TestLogsGoOnWhereTheStreamWasCut(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.logs["train"] = []string{
		logLine(0, "stdout", "one\n") + logLine(40, "stdout", "two\n"),
		cut,
		logLine(40, "stdout", "two\n") + logLine(80, "stdout", "three"),
	}
	r := d.run("logs", run12, "train")
	require.Zero(t, r.code, r.err)
	require.Equal(t, "one\ntwo\nthree\n", r.out)
	require.Len(t, d.fake.called("OpenDataStream"), 2)
}

func TestLogsNeedAnAgent(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.fail["OpenDataStream"] = refusal(connect.CodeUnavailable, faultv1.Reason_REASON_NO_AGENT_ONLINE, "no agent of pool default is online")
	r := d.run("logs", run12, "train")
	require.Equal(t, 75, r.code)
	require.Contains(t, r.err, "signalbox agent list")
	require.Len(t, d.fake.called("OpenDataStream"), 1, "to try again is the person's decision")
}

func TestLogsFollowEveryAttemptUntilTheRunEnds(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.fake.logs["prepare"] = []string{logLine(0, "stdout", "rows: 12")}
	d.fake.logs["train"] = []string{logLine(0, "stdout", "epoch 1")}
	d.fake.watch = d.fake.moments("running", "succeeded")
	r := d.run("logs", run12, "--follow")
	require.Zero(t, r.code, r.err)
	require.Equal(t, 1, strings.Count(r.out, "prepare  | rows: 12"))
	require.Equal(t, 2, strings.Count(r.out, "train    | epoch 1"), "two attempts")

	d.fake.watched = 0
	r = d.run("logs", run12, "prepare", "-f")
	require.Zero(t, r.code, r.err)
	require.Equal(t, "rows: 12\n", r.out)
}
