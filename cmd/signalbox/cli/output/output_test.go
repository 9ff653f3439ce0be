package output_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	usagev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/usage/v1"
)

func printed(t *testing.T, p output.Printer, v output.View) string {
	t.Helper()
	var out bytes.Buffer
	p.Out = &out
	require.NoError(t, p.Print(v))
	return out.String()
}

func TestJSONShowsTheAPIsFieldsInTheirOrder(t *testing.T) {
	t.Parallel()
	run := &runv1.Run{
		Id: "run_1", Number: 1 << 60, Labels: map[string]string{"b": "2", "a": "<1>"},
		CreatedAt: timestamppb.New(time.Date(2026, 11, 20, 13, 0, 0, 0, time.FixedZone("", 3600))),
	}
	v := output.View{Answer: &runv1.StartRunResponse{Run: run}}
	require.Equal(t, `{"run":{"id":"run_1","pipeline":"","version":"","number":1152921504606846976,"state":"","reason":"",`+
		`"outcome":"","cause":"","actor":"","labels":{"a":"<1>","b":"2"},"priority":0,"generation":0,"seq":0,`+
		`"createdAt":"2026-11-20T12:00:00Z","startedAt":null,"finishedAt":null,"tasksTotal":0,"tasksDone":0,"tasksFailed":0,`+
		`"nominal":null,"intervalStart":null,"intervalEnd":null,"waiting":null,"parent":null,"exitHandlerFailed":false},"created":false}`+"\n",
		printed(t, output.Printer{Format: output.JSONL}, v))
}

func TestJSONOpensBytesThatHoldJSON(t *testing.T) {
	t.Parallel()
	v := output.View{Answer: &runv1.GetRunValuesResponse{Params: []*runv1.Value{
		{Name: "a", Content: &runv1.Value_OpenJson{OpenJson: []byte(`[1,"x"]`)}},
		{Name: "b", Content: &runv1.Value_Sealed{Sealed: []byte{1, 2}}},
	}}}
	require.Equal(t, `{"params":[{"name":"a","type":"","openJson":[1,"x"],"size":0,"sealedAs":""},{"name":"b","type":"","sealed":"AQI=","size":0,"sealedAs":""}],"tasks":[]}`+"\n",
		printed(t, output.Printer{Format: output.JSONL}, v))
	require.Contains(t, printed(t, output.Printer{Format: output.YAML}, v), "openJson:\n      - 1\n      - x\n")
}

func TestMoneyStandsAsADecimalStringToo(t *testing.T) {
	t.Parallel()
	v := output.View{Answer: &usagev1.InvoiceLine{UnitNanoUsd: 6667, AmountNanoUsd: -1_500_000_000, Cents: -150}}
	filter, err := output.ParseFilter(".unitUsd, .amountUsd, .usd, .unitNanoUsd")
	require.NoError(t, err)
	require.Equal(t, "0.000006667\n-1.50\n-1.50\n6667\n", printed(t, output.Printer{Format: output.JSON, Filter: filter}, v))
}

func TestAFilterThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	_, err := output.ParseFilter(".a |")
	require.ErrorContains(t, err, "--jq")
	_, err = output.ParseFilter("nosuchfunction")
	require.ErrorContains(t, err, "--jq")
	filter, err := output.ParseFilter(".name.x")
	require.NoError(t, err)
	p := output.Printer{Format: output.JSON, Filter: filter, Out: &bytes.Buffer{}}
	require.ErrorContains(t, p.Print(output.View{Answer: &poolv1.Pool{Name: "p"}}), "--jq")
}

func TestGrid(t *testing.T) {
	t.Parallel()
	g := &output.Grid{
		Title:   "Things",
		Columns: []output.Column{{Head: "NAME"}, {Head: "N", Right: true}, {Head: "MORE", Wide: true}, {Head: "STATE"}},
		Empty:   "No things.",
	}
	v := output.View{Blocks: []output.Block{g}}
	require.Equal(t, "Things\nNo things.\n", printed(t, output.Printer{Format: output.Table}, v))
	g.Add(output.Text("ä\x1b[2J\nb"), output.Number(12), output.Text("x"), output.State("failed"))
	g.Add(output.Text(""), output.Number(3), output.Text("yy"), output.State("strange"))
	require.Equal(t, "Things\nNAME      N  STATE\nä [2J b  12  ✗ failed\n-         3  strange\n", printed(t, output.Printer{Format: output.Table}, v))
	require.Equal(t, "Things\nä [2J b  12  x   ✗ failed\n-         3  yy  strange\n", printed(t, output.Printer{Format: output.Wide, NoHeaders: true}, v))
	coloured := printed(t, output.Printer{Format: output.Table, Painter: output.Painter{Colour: true}}, v)
	require.Contains(t, coloured, "\x1b[31m✗ failed\x1b[0m\n")
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for _, f := range output.Formats() {
		got, err := output.ParseFormat(string(f))
		require.NoError(t, err)
		require.Equal(t, f, got)
		require.False(t, f.ForPeople() && f.Structured())
	}
	_, err := output.ParseFormat("csv")
	require.ErrorContains(t, err, "table, wide, json")
}

func TestQuantities(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 340 * time.Millisecond: "340ms", 4260 * time.Millisecond: "4.2s", 9999 * time.Millisecond: "9.9s",
		59 * time.Second: "59s", 133 * time.Second: "2m 13s", 3*time.Hour + 5*time.Minute: "3h 05m", 52 * time.Hour: "2d 4h",
	} {
		require.Equal(t, want, output.Duration(d))
	}
	for n, want := range map[int64]string{
		0: "0.00", 1: "0.000000001", 6667: "0.000006667", 1_500_000_000: "1.50", -10_000_000: "-0.01", math.MinInt64: "-9223372036.854775808",
	} {
		require.Equal(t, want, output.NanoUSD(n))
	}
	require.Equal(t, "-0.05", output.Cents(-5))
	require.Equal(t, "123.45", output.Cents(12345))
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 64 << 30: "64 GiB", math.MaxUint64: "16 EiB"} {
		require.Equal(t, want, output.Bytes(n))
	}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	require.Equal(t, "5s ago", output.Ago(now.Add(-5*time.Second), now))
	require.Equal(t, "just now", output.Ago(now.Add(time.Millisecond), now))
	require.Equal(t, "in 3h", output.Ago(now.Add(3*time.Hour), now))
	require.Equal(t, "4d ago", output.Ago(now.Add(-100*time.Hour), now))
}
