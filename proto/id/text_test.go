package id_test

import (
	"cmp"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/proto/id"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind id.Kind
		uuid string
		text string
	}{
		{id.Run, "00000000-0000-0000-0000-000000000000", "run_00000000000000000000000000"},
		{id.Org, "ffffffff-ffff-ffff-ffff-ffffffffffff", "org_7zzzzzzzzzzzzzzzzzzzzzzzzz"},
		{id.Workspace, "00000000-0000-0001-8000-000000000000", "ws_0000000000000r000000000000"},
		{id.Pipeline, "019a4902-e0fb-7fff-bfff-ffffffffffff", "pipe_01k94g5r7vfzzvzzzzzzzzzzzz"},
	} {
		var u id.UUID
		require.NoError(t, u.UnmarshalText([]byte(test.uuid)))
		require.Equal(t, test.text, id.Format(test.kind, u))
		back, err := id.Parse(test.kind, test.text)
		require.NoError(t, err)
		require.Equal(t, u, back)
	}
}

func TestParseSaysWhatWasExpected(t *testing.T) {
	t.Parallel()
	const good = "01kb5z6w3dfqmrr8nwv1c3yh2k"
	for _, test := range []struct{ text, why string }{
		{"pipe_" + good, "it names a pipeline"},
		{"agt_" + good, "it names an agent"},
		{good, "the prefix is missing"},
		{"", "the prefix is missing"},
		{"fraud-train", "the prefix is missing"},
		{"Run_" + good, "the prefix is missing"},
		{"run_", "26 characters must follow the prefix, not 0"},
		{"run_" + good + "0", "26 characters must follow the prefix, not 27"},
		{"run_8" + good[1:], "it is out of range"},
		{"run_" + strings.ToUpper(good), "only 0123456789abcdefghjkmnpqrstvwxyz may follow the prefix"},
		{"run_" + good[:25] + "l", "only 0123456789abcdefghjkmnpqrstvwxyz may follow the prefix"},
		{"run_" + good[:24] + "é", "only 0123456789abcdefghjkmnpqrstvwxyz may follow the prefix"},
	} {
		_, err := id.Parse(id.Run, test.text)
		var parse *id.ParseError
		require.ErrorAs(t, err, &parse, test.text)
		require.Equal(t, &id.ParseError{Want: id.Run, Text: test.text, Why: test.why}, parse)
		require.Contains(t, err.Error(), "is not the id of a run (run_…): "+test.why)
	}
}

func TestParseErrorsStayShort(t *testing.T) {
	t.Parallel()
	_, err := id.Parse(id.Run, strings.Repeat("ä", 100_000))
	require.Error(t, err)
	require.Less(t, len(err.Error()), 300)
}

func anyUUID() *rapid.Generator[id.UUID] {
	return rapid.Custom(func(t *rapid.T) id.UUID {
		return id.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
	})
}

func TestRoundTripOfEveryKind(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u := anyUUID().Draw(t, "uuid")
		kind := rapid.SampledFrom(id.Kinds()).Draw(t, "kind")
		other := rapid.SampledFrom(id.Kinds()).Draw(t, "other")
		text := id.Format(kind, u)
		require.Equal(t, strings.ToLower(text), text)
		back, err := id.Parse(kind, text)
		require.NoError(t, err)
		require.Equal(t, u, back)
		if other != kind {
			_, err = id.Parse(other, text)
			require.ErrorContains(t, err, kind.Noun())
			require.ErrorContains(t, err, string(other)+"_…")
		}
	})
}

func TestTextSortsAsTheBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyUUID().Draw(t, "a"), anyUUID().Draw(t, "b")
		require.Equal(t, id.Compare(a, b), cmp.Compare(id.Format(id.Run, a), id.Format(id.Run, b)))
	})
}

// FuzzParse holds that there is one spelling of an id and that refusals say why.
func FuzzParse(f *testing.F) {
	f.Add("run_01kb5z6w3dfqmrr8nwv1c3yh2k")
	f.Add("run_7zzzzzzzzzzzzzzzzzzzzzzzzz")
	f.Add("pipe_01kb5z6w3dfqmrr8nwv1c3yh2k")
	f.Add("run_\xff")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := id.Parse(id.Run, text)
		if err == nil {
			require.Equal(t, text, id.Format(id.Run, u))
			return
		}
		var parse *id.ParseError
		require.True(t, errors.As(err, &parse))
		require.NotEmpty(t, parse.Why)
		require.Equal(t, id.Nil, u)
	})
}
