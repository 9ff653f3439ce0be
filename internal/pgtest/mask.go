package pgtest

import (
	"fmt"
	"regexp"
)

var (
	uuidPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	timePattern = regexp.MustCompile(`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})`)
)

// Mask replaces the ids and times in the result of Changes that a test cannot
// foresee. The first id becomes <id 1>, the next new one <id 2>, so that equal
// ids stay equal; every time becomes <time>.
func Mask(changes string) string {
	names := map[string]string{}
	masked := uuidPattern.ReplaceAllStringFunc(changes, func(id string) string {
		if names[id] == "" {
			names[id] = fmt.Sprintf("<id %d>", len(names)+1)
		}
		return names[id]
	})
	return timePattern.ReplaceAllString(masked, "<time>")
}
