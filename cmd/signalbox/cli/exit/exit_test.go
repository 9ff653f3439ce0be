package exit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
)

func TestCodesAreStable(t *testing.T) {
	t.Parallel()
	var codes []int
	names := map[string]bool{}
	for _, m := range exit.Meanings() {
		codes = append(codes, int(m.Code))
		require.NotEmpty(t, m.Text)
		require.False(t, names[m.Name], m.Name)
		names[m.Name] = true
	}
	require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 65, 75, 130}, codes)
	require.Equal(t, "error", exit.Code(99).Name())
}

func TestEveryReasonIsKnown(t *testing.T) {
	t.Parallel()
	for number, name := range faultv1.Reason_name {
		if number == 0 {
			continue
		}
		require.True(t, exit.KnowsReason(faultv1.Reason(number)), "no advice for %s: what should a person do?", name)
	}
}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want exit.Code
	}{
		{nil, exit.OK},
		{io.EOF, exit.Failed},
		{exit.Usagef("no"), exit.Usage},
		{fmt.Errorf("start: %w", exit.Wrongf("no")), exit.Wrong},
		{&exit.QuietError{Code: exit.RunFailed}, exit.RunFailed},
		{fmt.Errorf("call: %w", context.Canceled), exit.Interrupted},
		{connect.NewError(connect.CodeCanceled, context.Canceled), exit.Interrupted},
		{connect.NewError(connect.CodeDeadlineExceeded, context.DeadlineExceeded), exit.Later},
		{connect.NewError(connect.CodeUnavailable, io.EOF), exit.Later},
		{connect.NewError(connect.CodeUnimplemented, errors.New("404")), exit.Failed},
	} {
		require.Equal(t, c.want, exit.CodeOf(c.err), "%v", c.err)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	e := exit.Wrongf("2 things are wrong").Advise("look again").Because(io.EOF)
	require.ErrorIs(t, e, io.EOF)
	e.Reason = "PARAM_INVALID"
	e.Violations = []*faultv1.Violation{
		{Path: "all", Text: "2 things are wrong"},
		{Path: "params.lr", Text: "want float"},
		{Path: "tasks.a", Want: "int", Got: "x", Line: 3, Column: 5, Excerpt: "  3 | a: x\n    |    ^\n"},
		{Path: "tasks.b", Want: "a name"},
	}
	var text, js bytes.Buffer
	exit.Report(&text, e, false)
	require.Equal(t, `error: 2 things are wrong
  params.lr: want float
3:5: tasks.a: want int, got x
      3 | a: x
        |    ^
  tasks.b: want a name
  reason: PARAM_INVALID
  hint: look again
`, text.String())
	exit.Report(&js, e, true)
	require.JSONEq(t, `{"code":"invalid","reason":"PARAM_INVALID","message":"2 things are wrong","violations":[
		{"path":"all","want":"","got":"","text":"2 things are wrong","line":0,"column":0,"excerpt":""},
		{"path":"params.lr","want":"","got":"","text":"want float","line":0,"column":0,"excerpt":""},
		{"path":"tasks.a","want":"int","got":"x","text":"","line":3,"column":5,"excerpt":"  3 | a: x\n    |    ^\n"},
		{"path":"tasks.b","want":"a name","got":"","text":"","line":0,"column":0,"excerpt":""}]}`, js.String())
}

func TestReportIsSilentAboutWhatWasTold(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	exit.Report(&out, nil, false)
	exit.Report(&out, &exit.QuietError{Code: exit.RunFailed}, true)
	require.Empty(t, out.String())
}
