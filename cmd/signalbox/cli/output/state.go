package output

// stateSign is how a state looks.
type stateSign struct {
	sign string
	tone Tone
}

// signs has the states of runs, tasks, attempts and agents.
var signs = map[string]stateSign{
	"pending": {"○", Faint}, "ready": {"○", Plain}, "leased": {"◌", Busy}, "starting": {"◌", Busy},
	"running": {"●", Busy}, "backoff": {"◌", Warn}, "finalizing": {"●", Busy}, "paused": {"‖", Warn}, "suspended": {"‖", Warn},
	"held": {"‖", Warn}, "canceling": {"●", Warn},
	"succeeded": {"✓", Good}, "cached": {"✓", Good}, "reused": {"✓", Good}, "tolerated": {"!", Warn},
	"failed": {"✗", Bad}, "timed_out": {"✗", Bad}, "lost": {"✗", Bad}, "refused": {"✗", Bad},
	"preempted": {"✗", Warn}, "rejected": {"✗", Warn}, "upstream_failed": {"✗", Faint},
	"skipped": {"–", Faint}, "canceled": {"–", Warn}, "dropped": {"–", Faint},
	"online": {"●", Good}, "offline": {"○", Faint}, "revoked": {"✗", Bad},
}

// State is a state with its sign: "✓ succeeded". An unknown state, one of a
// newer service, has none.
func State(state string) Cell {
	s, ok := signs[state]
	if !ok {
		return Cell{Text: state}
	}
	return Cell{Text: s.sign + " " + state, Tone: s.tone}
}

// Sign is a state's sign alone.
func Sign(state string) Cell {
	s, ok := signs[state]
	if !ok {
		return Cell{Text: "·"}
	}
	return Cell{Text: s.sign, Tone: s.tone}
}
