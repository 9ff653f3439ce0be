package explain

import (
	"fmt"
	"time"
)

// Hold is what a held task waits for outside. The zero Hold is not known.
type Hold struct {
	Kind   string    // wait, signal or approval
	Signal string    // its name
	Until  time.Time // when it ends by itself; zero: never
	// Approved is how many of the Required have approved.
	Approved, Required int
}

func (h Hold) text(now time.Time) string {
	var what string
	switch h.Kind {
	case "wait":
		what = "it waits"
	case "signal":
		what = "it waits for the signal " + h.Signal
	case "approval":
		what = fmt.Sprintf("it waits for approval, %d of %d so far", h.Approved, h.Required)
	default:
		what = "it waits for somebody or something outside"
	}
	switch {
	case h.Until.IsZero():
		return what
	case h.Kind == "wait":
		return what + " until " + clock(now, h.Until)
	}
	return what + ", until " + clock(now, h.Until) + " at the latest"
}
