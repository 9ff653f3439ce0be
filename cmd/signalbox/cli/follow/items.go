package follow

import (
	"fmt"
	"strings"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// Progress is how far a map, a loop or a group is: "37/40, 2 failed", "pass 3 of
// at most 50". Empty for other tasks.
func Progress(t *runv1.Task) string {
	n := t.GetItems()
	if n == nil {
		return ""
	}
	parts := []string{fmt.Sprintf("%d/%d", n.GetDone(), n.GetTotal())}
	switch t.GetKind() {
	case "loop":
		parts[0] = fmt.Sprintf("pass %d of at most %d", n.GetTotal(), n.GetMost())
		if over := t.GetState() != "expanding" && t.GetState() != "running" && t.GetState() != "ready"; over {
			parts[0] = fmt.Sprintf("%d passes", n.GetTotal())
		}
	case "map":
	default:
		parts[0] += " tasks"
	}
	for _, x := range []struct {
		n    uint32
		word string
	}{
		{n.GetFailed(), "failed"},
		{n.GetTolerated(), "tolerated"},
		{n.GetCanceled(), "canceled"},
		{n.GetSkipped(), "skipped"},
		{n.GetReused(), "reused"},
		{n.GetRunning(), "running"},
	} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.word))
		}
	}
	return strings.Join(parts, ", ")
}
