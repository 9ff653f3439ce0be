package explain

import (
	"fmt"
	"math"
	"time"

	"github.com/signalboxhq/signalbox/proto/id"
)

// Wait is a task in a queue, with all that decides when it leaves it.
type Wait struct {
	Pool   Pool
	Need   Need
	Limits []Limit
	// Run and Task are the task's own: what it waits for is not itself.
	Run  id.UUID
	Task string
	// Aged are those for whom room may be kept free, in the order of their turns.
	Aged   []Aged
	Agents []Agent // of the pool; those that are gone only with when they were seen
	Since  time.Time
	// Ahead is how many tasks go first for certain: of a higher priority, or
	// older in the same lane, whatever they ask for. AheadMore: there are more than
	// were counted.
	Ahead     int64
	AheadMore bool
	// The organization is frozen, or its bill has stood for too long: nothing new
	// is given to its agents.
	Frozen, Unpaid bool
	FreezeNote     string
	// Share is the lane's part of what its priority gets; 1 where it is alone.
	Share float64
}

// Pool is the queue and its limits.
type Pool struct {
	Name        string
	Paused      bool
	Note        string
	Slots, Used int64 // Slots 0: as many as its agents have
}

// Need is what the task asks of each agent, and how many at once.
type Need struct {
	Select      map[string]string
	Slots       int64
	CPUMillis   int64
	MemoryBytes int64
	GPUs        int64
	GPUTypes    []string
	Sealed      bool
	GangSize    int64 // 0: no gang
	Apart       bool
}

// Agent is what an agent has, and what of it is in use.
type Agent struct {
	Name                    string
	Online, Draining        bool
	SeenAt                  time.Time // zero: never
	Labels                  map[string]string
	Slots, SlotsUsed        int64
	CPUMillis, CPUUsed      int64
	MemoryBytes, MemoryUsed int64
	GPUs, GPUsUsed          int64
	GPUType                 string
	HoldsKey                bool
}

// Limit is a named limit and what the task wants of it.
type Limit struct {
	Name     string
	Declared bool
	Want     int64
	// Capped: at most Max units are held at once; Held are.
	Capped    bool
	Max, Held int64
	// Rated: Rate units in Per; DryFor until it lets the task pass.
	Rated  bool
	Rate   int64
	Per    time.Duration
	DryFor time.Duration
}

func (w *Wait) explain(now time.Time) Explanation {
	switch {
	case w.Frozen:
		return Explanation{ReasonFrozen, join("the organization is frozen", w.FreezeNote), "signalbox org unfreeze"}
	case w.Unpaid:
		return Explanation{ReasonUnpaid, "the organization is suspended until its bill is paid", ""}
	}
	if w.Pool.Paused {
		return Explanation{ReasonPaused, join("pool "+w.Pool.Name+" is paused", w.Pool.Note), "signalbox pool resume " + w.Pool.Name}
	}
	for i := range w.Limits {
		if e, bars := w.Limits[i].explain(); bars {
			return e
		}
	}
	var online, able []*Agent
	for i := range w.Agents {
		a := &w.Agents[i]
		if !a.Online || a.Draining {
			continue
		}
		online = append(online, a)
		if w.Need.lacks(a) == "" {
			able = append(able, a)
		}
	}
	switch {
	case len(online) == 0:
		return w.nobody()
	case len(able) == 0:
		return w.noMatch(online)
	}
	return w.room(now, online, able)
}

func (l *Limit) explain() (Explanation, bool) {
	switch {
	case !l.Declared:
		return Explanation{ReasonLimit, fmt.Sprintf("limit %s does not exist", l.Name), "signalbox limit set " + l.Name + " --max 1"}, true
	case l.Capped && l.Want > l.Max:
		text := fmt.Sprintf("limit %s has %s, and it asks for %d", l.Name, plural(l.Max, "unit"), l.Want)
		return Explanation{ReasonLimit, text, fmt.Sprintf("signalbox limit set %s --max %d", l.Name, l.Want)}, true
	case l.Capped && l.Held+l.Want > l.Max:
		return Explanation{ReasonLimit, fmt.Sprintf("limit %s is reached: %d of %s held, and it asks for %d", l.Name, l.Held, plural(l.Max, "unit"), l.Want), ""}, true
	case l.Rated && l.DryFor > 0:
		return Explanation{ReasonLimit, fmt.Sprintf("limit %s gives %d in %s; the next in %s", l.Name, l.Rate, l.Per, span(l.DryFor)), ""}, true
	}
	return Explanation{}, false
}

func (w *Wait) nobody() Explanation {
	var seen time.Time
	for i := range w.Agents {
		if w.Agents[i].SeenAt.After(seen) {
			seen = w.Agents[i].SeenAt
		}
	}
	text := "no agent has joined pool " + w.Pool.Name
	if !seen.IsZero() {
		text = fmt.Sprintf("no agent online in pool %s (last seen %s)", w.Pool.Name, seen.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return Explanation{ReasonNoAgent, text, "signalbox pool join-token " + w.Pool.Name}
}

// noMatch names what the agent lacks that comes nearest.
func (w *Wait) noMatch(online []*Agent) Explanation {
	best, fewest := online[0], math.MaxInt
	for _, a := range online {
		if n := len(w.Need.all(a)); n < fewest {
			best, fewest = a, n
		}
	}
	text := fmt.Sprintf("no agent in pool %s offers %s (the nearest, %s, has %s)", w.Pool.Name, w.Need.lacks(best), best.Name, w.Need.has(best))
	return Explanation{ReasonNoMatch, text, ""}
}

// room explains a task that some agents could run if they had room.
func (w *Wait) room(now time.Time, online, able []*Agent) Explanation {
	size := max(1, w.Need.GangSize)
	limited := w.Pool.Slots > 0 && w.Pool.Used+w.Need.Slots*size > w.Pool.Slots
	places, could, slots, used := int64(0), int64(0), int64(0), int64(0)
	for _, a := range able {
		places += w.Need.places(a.free(), w.Need.Apart)
		could += w.Need.places(a, w.Need.Apart)
		slots, used = slots+a.Slots, used+a.SlotsUsed
	}
	if w.Pool.Slots > 0 {
		slots, used = w.Pool.Slots, w.Pool.Used
	}
	switch {
	case w.Need.GangSize > 1 && could < size:
		return Explanation{ReasonGang, fmt.Sprintf("its gang needs %d members at once, and pool %s has places for %d", size, w.Pool.Name, could), ""}
	case w.Need.GangSize > 1 && places < size:
		return Explanation{ReasonGang, fmt.Sprintf("its gang needs %d members at once, and %s free; %s", size, are(places), w.queue()), ""}
	case limited || places == 0:
		return Explanation{ReasonPoolFull, fmt.Sprintf("pool %s is full, %d/%d slots; %s", w.Pool.Name, used, slots, w.queue()), ""}
	}
	if e, kept := w.kept(now, online, able); kept {
		return e
	}
	if w.Ahead > 0 {
		return Explanation{ReasonQueued, "it is about to be taken; " + w.queue(), ""}
	}
	return Explanation{ReasonQueued, fmt.Sprintf("it is about to be taken; it has waited %s", span(now.Sub(w.Since))), ""}
}

func are(n int64) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}

func (w *Wait) queue() string {
	ahead := fmt.Sprintf("%d ahead of it", w.Ahead)
	if w.AheadMore {
		ahead = fmt.Sprintf("more than %d ahead of it", w.Ahead)
	}
	if w.Share > 0 && w.Share < 1 {
		ahead += fmt.Sprintf(", fair share %.0f%%", 100*w.Share)
	}
	return ahead
}

// Missing is why nobody took a task in time: what no agent offers, or else what
// Explain says.
func (w *Wait) Missing(now time.Time) string {
	e := w.explain(now)
	if e.Reason == ReasonNoAgent {
		if asks := w.Need.asks(); asks != "" {
			return fmt.Sprintf("no agent in pool %s offers %s", w.Pool.Name, asks)
		}
	}
	return e.Text
}
