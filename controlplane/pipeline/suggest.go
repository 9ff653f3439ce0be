package pipeline

import (
	"strings"

	"github.com/signalboxhq/signalbox/proto/expr"
)

// longestTypo bounds the names for which near ones are looked for: what is longer
// is no typing error, and a comparison costs the product of both lengths.
const longestTypo = 64

// nearest returns the options that a person may have meant by got, the nearest
// first; none where nothing is near.
func nearest(got string, options []string) []string {
	if len(got) > longestTypo {
		return nil
	}
	return expr.Nearest(got, options)
}

// didYouMean is the hint for a name that is not among options.
func didYouMean(got string, options []string) string { return meant(nearest(got, options)) }

func meant(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "did you mean `" + strings.Join(names, "` or `") + "`?"
}
