package expr_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/proto/expr"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"epochs", "dataset", "min_auc", "max_auc", "x", "ü", "lr"}
	for name, want := range map[string][]string{
		"epoch":                        {"epochs"},
		"EPOCHS":                       {"epochs"},
		"epcohs":                       {"epochs"},
		"epooochs":                     {"epochs"},
		"mun_auc":                      {"min_auc", "max_auc"},
		"min_auc":                      {"min_auc", "max_auc"},
		"data_set":                     {"dataset"},
		"learning":                     {},
		"y":                            {},
		"rl":                           {"lr"},
		"":                             {},
		strings.Repeat("epochs", 1000): {},
	} {
		require.Equal(t, want, expr.Nearest(name, names), name)
	}
	require.Empty(t, expr.Nearest("a", nil))
	require.Equal(t, []string{"ab0", "ab1", "ab2"}, expr.Nearest("ab", []string{"ab3", "ab2", "ab1", "ab0", "ab1"}))
}
