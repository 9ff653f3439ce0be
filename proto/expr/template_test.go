package expr_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/signalboxhq/signalbox/proto/expr"
)

func TestParseTemplate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		source string
		want   []expr.Part
	}{
		{"", nil},
		{"plain", []expr.Part{{Text: "plain"}}},
		{"$HOME ${x} {{ y }} $ {{ z }} }}", []expr.Part{{Text: "$HOME ${x} {{ y }} $ {{ z }} }}"}}},
		{"${{ params.n }}", []expr.Part{{Text: " params.n ", Offset: 3, Expr: true}}},
		{"${{a}}${{b}}", []expr.Part{{Text: "a", Offset: 3, Expr: true}, {Text: "b", Offset: 9, Expr: true}}},
		{"ä ${{ a }} z", []expr.Part{{Text: "ä "}, {Text: " a ", Offset: 6, Expr: true}, {Text: " z", Offset: 11}}},
		{"$${{ a }}", []expr.Part{{Text: "$"}, {Text: " a ", Offset: 4, Expr: true}}},
		{"${{ {'a': {'b': 1}} }}", []expr.Part{{Text: " {'a': {'b': 1}} ", Offset: 3, Expr: true}}},
		{"${{{'a': {'b': 1}}}}", []expr.Part{{Text: "{'a': {'b': 1}}", Offset: 3, Expr: true}}},
		{`${{ '}}' }}`, []expr.Part{{Text: ` '}}' `, Offset: 3, Expr: true}}},
		{`${{ "\"}}" }}`, []expr.Part{{Text: ` "\"}}" `, Offset: 3, Expr: true}}},
		{`${{ r"\" }}`, []expr.Part{{Text: ` r"\" `, Offset: 3, Expr: true}}},
		{`${{ bR'\' }}`, []expr.Part{{Text: ` bR'\' `, Offset: 3, Expr: true}}},
		{"${{ '''}}\n'}}''' }}", []expr.Part{{Text: " '''}}\n'}}''' ", Offset: 3, Expr: true}}},
		{"${{ a // }}\n }}", []expr.Part{{Text: " a // }}\n ", Offset: 3, Expr: true}}},
		{"${{ '${{' }}", []expr.Part{{Text: " '${{' ", Offset: 3, Expr: true}}},
	} {
		template, err := expr.ParseTemplate(test.source)
		require.NoError(t, err, test.source)
		require.Equal(t, test.want, template.Parts(), test.source)
		require.Equal(t, test.source, template.String())
	}
}

func TestParseTemplateSaysWhere(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		source string
		offset int
		text   string
	}{
		{"a ${{ b", 2, "the placeholder that begins here has no }}"},
		{"a ${{ b }", 2, "the placeholder that begins here has no }}"},
		{"a ${{ { }}", 2, "the placeholder that begins here has no }}"},
		{"a ${{ b // }}", 2, "the placeholder that begins here has no }}"},
		{"a ${{ 'b }}", 6, "the string that begins here has no end"},
		{"a ${{ bar'\\' }}", 9, "the string that begins here has no end"},
		{"a ${{ 'b\n' }}", 6, "the string that begins here has no end"},
		{"a ${{ \"\"\"b\" }}", 6, "the string that begins here has no end"},
		{"a ${{ }}", 2, "the placeholder is empty"},
		{strings.Repeat("x", 64<<10+1), 0, "the text is longer than 65536 bytes"},
	} {
		_, err := expr.ParseTemplate(test.source)
		require.Equal(t, expr.Errors{{Offset: test.offset, Text: test.text}}, err, test.source)
	}
	_, err := expr.ParseTemplate("${{ }} and ${{}} and ${{")
	require.Len(t, err, 3, "all errors at once")
}

func TestTemplateShapes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		source         string
		static, single bool
	}{
		{"", true, false},
		{"x", true, false},
		{"${{ x }}", false, true},
		{" ${{ x }}", false, false},
		{"${{ x }}${{ y }}", false, false},
	} {
		template, err := expr.ParseTemplate(test.source)
		require.NoError(t, err)
		_, single := template.Single()
		require.Equal(t, test.single, single, test.source)
		require.Equal(t, test.static, template.Static(), test.source)
	}
}

// reassemble writes a template from its parts.
func reassemble(template expr.Template) string {
	var text strings.Builder
	for _, part := range template.Parts() {
		if part.Expr {
			text.WriteString("${{" + part.Text + "}}")
			continue
		}
		text.WriteString(part.Text)
	}
	return text.String()
}

func TestTemplateKeepsEveryByte(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{"${{", "}}", "{", "}", "'", `"`, "\\", "r", " ", "x", "ä", "\n", "//", "$", "'''"})
	rapid.Check(t, func(t *rapid.T) {
		source := strings.Join(rapid.SliceOfN(piece, 0, 20).Draw(t, "pieces"), "")
		checkTemplate(t, source)
	})
}

func FuzzParseTemplate(f *testing.F) {
	for _, seed := range []string{
		"a ${{ b }} c", "${{ '}}' }}", "${{ {'a': {}} }}", `${{ r"\" }}`, "${{", "${{ // }}", "${{ ''' }} ''' }}", "${{ }}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) { checkTemplate(t, source) })
}

// checkTemplate holds for every text: parts lose nothing and say where they
// stand, and errors point into the text.
func checkTemplate(t require.TestingT, source string) {
	template, err := expr.ParseTemplate(source)
	if err != nil {
		var errs expr.Errors
		require.ErrorAs(t, err, &errs)
		for _, one := range errs {
			require.NotEmpty(t, one.Text)
			require.GreaterOrEqual(t, one.Offset, 0)
			require.LessOrEqual(t, one.Offset, len(source))
		}
		return
	}
	require.Equal(t, source, reassemble(template))
	for i, part := range template.Parts() {
		require.Equal(t, part.Text, source[part.Offset:part.Offset+len(part.Text)])
		require.True(t, part.Expr || i == 0 || template.Parts()[i-1].Expr, "literals are not adjacent")
	}
}
