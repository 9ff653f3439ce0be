package param_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/exit"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/param"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func read(path string) ([]byte, error) {
	if path == "there.txt" {
		return []byte("content\n"), nil
	}
	return nil, os.ErrNotExist
}

func parse(t *testing.T, specs ...string) []param.Assignment {
	t.Helper()
	var out []param.Assignment
	for _, s := range specs {
		a, err := param.Parse(s, read)
		require.NoError(t, err)
		out = append(out, a)
	}
	return out
}

func never(string, json.RawMessage) ([]byte, error) {
	return nil, errors.New("nothing is to be sealed")
}

func TestSpellings(t *testing.T) {
	t.Parallel()
	declared := []plan.Param{
		{Name: "a", Type: plan.TypeString, Open: true},
		{Name: "b", Type: plan.TypeString, Open: true},
		{Name: "c", Type: plan.TypeString, Open: true},
		{Name: "d", Type: plan.List(plan.TypeInt), Open: true},
		{Name: "e", Type: plan.TypeBytes, Open: true},
	}
	values, err := param.Values(declared, parse(t, "a=x=y", "b=@there.txt", "c=@@home", "d=[1,2]", "e=@there.txt"), never)
	require.NoError(t, err)
	var got []string
	for _, v := range values {
		got = append(got, v.GetName()+" "+v.GetType()+" "+string(v.GetOpenJson()))
	}
	require.Equal(t, []string{
		`a string "x=y"`, `b string "content"`, `c string "@home"`, `d list<int> [1,2]`, `e bytes "Y29udGVudAo="`,
	}, got)
}

func TestSpellingsThatAreNone(t *testing.T) {
	t.Parallel()
	for spec, code := range map[string]exit.Code{"a": exit.Usage, "=x": exit.Usage, "a=@nowhere": exit.Wrong} {
		_, err := param.Parse(spec, read)
		require.Equal(t, code, exit.CodeOf(err), spec)
	}
}

func TestAListIsShownToWhoeverLeftOutTheBrackets(t *testing.T) {
	t.Parallel()
	declared := []plan.Param{{Name: "tags", Type: plan.List(plan.TypeString)}, {Name: "layers", Type: plan.List(plan.TypeInt)}}
	for given, want := range map[string]string{
		"tags=a":      `want list<string> as a JSON list, as in '["a","b"]', got "a"`,
		"tags=[a,b]":  `as in '["a","b"]', got "[a,b]"`,
		"layers=64,3": `want list<int> as a JSON list, as in '[1,2]', got "64,3"`,
		"layers=[x]":  `as in '[1,2]'`,
		"tags=[1]":    "item 0: want string",
	} {
		_, err := param.Values(declared, parse(t, given), never)
		require.ErrorContains(t, err, want)
		require.Equal(t, exit.Wrong, exit.CodeOf(err))
	}
}

func TestUnknownNamesAreHelpedWith(t *testing.T) {
	t.Parallel()
	declared := []plan.Param{{Name: "epochs", Type: plan.TypeInt}, {Name: "LR", Type: plan.TypeFloat}}
	for given, want := range map[string]string{
		"epoch=1": "did you mean epochs?",
		"lr=1":    "did you mean LR?",
		"seed=1":  "it takes epochs, LR",
	} {
		_, err := param.Values(declared, parse(t, given), never)
		require.ErrorContains(t, err, want)
		require.Equal(t, exit.Wrong, exit.CodeOf(err))
	}
	_, err := param.Values(nil, parse(t, "a=1"), never)
	require.ErrorContains(t, err, "it takes no params")
}

func TestSealingFailuresAreToldAndEnvelopesChecked(t *testing.T) {
	t.Parallel()
	declared := []plan.Param{{Name: "a", Type: plan.TypeInt}}
	_, err := param.Values(declared, parse(t, "a=1"), never)
	require.ErrorContains(t, err, "nothing is to be sealed")
	_, err = param.Values(declared, parse(t, "a=1"), func(string, json.RawMessage) ([]byte, error) { return []byte("1"), nil })
	require.Error(t, err, "a value that was not sealed must not leave")
}
