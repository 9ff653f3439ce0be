package explain

import (
	"fmt"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Aged is a task that has waited so long that room is kept free for it: whoever
// could run it gets nothing of the same or a lower priority until it fits.
type Aged struct {
	Run   id.UUID
	Task  string
	Name  string // for people
	Since time.Time
	Need  Need
}

// kept finds the task for which the room is kept free that this one would fit
// into.
func (w *Wait) kept(now time.Time, online, able []*Agent) (Explanation, bool) {
	held := map[*Agent]*Aged{}
	for i := range w.Aged {
		h := &w.Aged[i]
		slots, size := h.Need.Slots*max(1, h.Need.GangSize), max(1, h.Need.GangSize)
		if h.Run == w.Run && h.Task == w.Task || slots == 0 {
			continue
		}
		if left := w.Pool.Slots - w.Pool.Used; w.Pool.Slots > 0 && slots > left {
			if slots <= w.Pool.Slots {
				return h.explain(now, &w.Pool), true
			}
			continue
		}
		places, could := int64(0), int64(0)
		for _, a := range online {
			places += h.Need.places(a.free(), h.Need.Apart)
			could += h.Need.places(a, h.Need.Apart)
		}
		if places >= size || could < size {
			continue // it is about to be taken, or never will be
		}
		for _, a := range online {
			if h.Need.lacks(a) == "" && held[a] == nil {
				held[a] = h
			}
		}
	}
	var first *Aged
	for _, a := range able {
		if w.Need.places(a.free(), w.Need.Apart) == 0 {
			continue
		}
		if held[a] == nil {
			return Explanation{}, false
		}
		if first == nil {
			first = held[a]
		}
	}
	if first == nil {
		return Explanation{}, false
	}
	return first.explain(now, &w.Pool), true
}

func (h *Aged) explain(now time.Time, p *Pool) Explanation {
	asks := plural(h.Need.Slots, "slot")
	if h.Need.GangSize > 1 {
		asks = fmt.Sprintf("%d members of %s", h.Need.GangSize, asks)
	}
	if more := h.Need.asks(); more != "" && h.Need.Slots <= 1 {
		asks = more
	}
	text := fmt.Sprintf("room in pool %s is kept free for %s, which asks for %s and has waited %s", p.Name, h.Name, asks, span(now.Sub(h.Since)))
	return Explanation{ReasonReserved, text, ""}
}
