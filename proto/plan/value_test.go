package plan_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestParseValueIsCanonical(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ  plan.Type
		text string
		want string
	}{
		{plan.TypeString, "3.10", `"3.10"`},
		{plan.TypeString, " <no> ", `" <no> "`},
		{plan.TypeInt, " +007\n", `7`},
		{plan.TypeInt, "-9223372036854775808", `-9223372036854775808`},
		{plan.TypeFloat, "1e-3", `0.001`},
		{plan.TypeFloat, ".5", `0.5`},
		{plan.TypeFloat, "2", `2`},
		{plan.TypeFloat, "-0.0", `0`},
		{plan.TypeBool, "True", `true`},
		{plan.TypeBool, "false", `false`},
		{plan.TypeURI, "s3://lake/a?b=1&c=2", `"s3://lake/a?b=1&c=2"`},
		{plan.TypeJSON, ` {"b": 1.0, "a": [null, "<"]} `, `{"a":[null,"<"],"b":1.0}`},
		{plan.TypeDuration, "1h30m", `"5400s"`},
		{plan.TypeDuration, "250ms", `"0.250s"`},
		{plan.TypeBytes, "aGk=", `"aGk="`},
		{plan.List(plan.TypeFloat), "[1, 2.50]", `[1,2.5]`},
		{plan.List(plan.TypeString), "[]", `[]`},
		{plan.List(plan.TypeDuration), `["1m"]`, `["60s"]`},
		{plan.List(plan.TypeJSON), `[{"z":1,"y":2}]`, `[{"y":2,"z":1}]`},
	} {
		got, err := plan.ParseValue(c.typ, c.text)
		require.NoError(t, err, "%s %q", c.typ, c.text)
		require.Equal(t, c.want, string(got))
		again, err := plan.CheckValue(c.typ, got)
		require.NoError(t, err, "canonical JSON is accepted again")
		require.Equal(t, got, again)
	}
}

func TestParseValueRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ        plan.Type
		text, want string
	}{
		{plan.TypeInt, "1.0", `want int, got "1.0"`},
		{plan.TypeInt, "9223372036854775808", "64 bits"},
		{plan.TypeFloat, "abc", `want float, got "abc"`},
		{plan.TypeFloat, "NaN", "finite"},
		{plan.TypeFloat, "1e999", "too large"},
		{plan.TypeFloat, "0x1p4", "want float"},
		{plan.TypeFloat, "1_000", "want float"},
		{plan.TypeBool, "yes", "true or false"},
		{plan.TypeURI, "lake/a", "scheme"},
		{plan.TypeJSON, "{", "want JSON"},
		{plan.TypeJSON, "1 2", "more after it"},
		{plan.TypeDuration, "90", "needs a unit"},
		{plan.TypeDuration, "-1s", "no duration"},
		{plan.TypeDuration, "0.5ms", "whole number of milliseconds"},
		{plan.TypeDuration, "40000d", "hundred years"},
		{plan.TypeBytes, "%", "base64"},
		{plan.List(plan.TypeInt), "1,2", "want"},
		{plan.List(plan.TypeInt), `["1"]`, `item 0: want int, got the string "1"`},
		{plan.List(plan.TypeString), `"a"`, "JSON list"},
		{plan.TypeString, "\xff", "UTF-8"},
		{plan.TypeString, strings.Repeat("x", plan.MaxValueBytes), "artifact"},
		{plan.TypeModel, "x", "no type of a value"},
	} {
		_, err := plan.ParseValue(c.typ, c.text)
		require.ErrorContains(t, err, c.want, "%s %.40q", c.typ, c.text)
	}
}

func TestParseOutputReadsFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ  plan.Type
		file string
		want string
	}{
		{plan.TypeString, "hello\n", `"hello"`},
		{plan.TypeString, "two\n\n", `"two\n"`},
		{plan.TypeString, "dos\r\n", `"dos"`},
		{plan.TypeFloat, "0.93\n", `0.93`},
		{plan.TypeBytes, "\xff\n", `"/wo="`},
	} {
		got, err := plan.ParseOutput(c.typ, []byte(c.file))
		require.NoError(t, err)
		require.Equal(t, c.want, string(got))
	}
}

func TestTextIsWhatAStepSees(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{`"a b"`: "a b", `1.5`: "1.5", `null`: "null", `["a"]`: `["a"]`} {
		require.Equal(t, want, plan.Text(json.RawMessage(raw)))
	}
}

func TestStringsSurviveTheRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		raw, err := plan.ParseValue(plan.TypeString, s)
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.Text(raw); got != s {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

func TestDurationsSurviveTheRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ms := plan.Millis(rapid.Int64Range(0, int64(plan.MaxMillis)).Draw(t, "ms"))
		got, err := plan.ParseDuration(ms.String())
		if err != nil || got != ms {
			t.Fatalf("%s: %d, %v", ms, got, err)
		}
	})
}

func TestCheckParam(t *testing.T) {
	t.Parallel()
	epochs := plan.Param{Name: "epochs", Type: plan.TypeInt, Min: json.RawMessage("1"), Max: json.RawMessage("500")}
	wait := plan.Param{Type: plan.TypeDuration, Max: json.RawMessage(`"60s"`)}
	color := plan.Param{Type: plan.TypeString, Enum: []string{"red", "green"}}
	for _, c := range []struct {
		p          plan.Param
		text, want string
	}{
		{epochs, "500", ""},
		{epochs, "0", "want at least 1, got 0"},
		{epochs, "501", "want at most 500, got 501"},
		{wait, "1m", ""},
		{wait, "61s", "want at most 60s"},
		{color, "red", ""},
		{color, "blue", "want one of red, green"},
	} {
		_, err := plan.ParseParam(c.p, c.text)
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.want)
		}
	}
	_, err := plan.CheckParam(epochs, json.RawMessage(`"5"`))
	require.ErrorContains(t, err, "want int")
}
