package follow

import (
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/output"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// Holding says what a held task waits for, and how long yet; empty for others.
func Holding(t *runv1.Task, now time.Time) string {
	if t.GetState() != "held" {
		return ""
	}
	h := t.GetHold()
	text := ""
	switch h.GetKind() {
	case "wait":
		text = "waits"
	case "signal":
		text = "waits for the signal " + h.GetSignal()
	case "approval":
		approved := map[string]bool{}
		for _, v := range h.GetVotes() {
			approved[v.GetActor()] = !v.GetRejected()
		}
		text = fmt.Sprintf("waits for approval, %d of %d", len(approved), h.GetRequired())
	}
	if h.GetMessage() != "" {
		text += ": “" + h.GetMessage() + "”"
	}
	if h.GetUntil() != nil && text != "" {
		text += ", " + output.Duration(h.GetUntil().AsTime().Sub(now)) + " left"
	}
	return text
}
