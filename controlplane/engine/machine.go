package engine

import "fmt"

// TransitionError is an event that a state machine's table does not allow.
type TransitionError struct {
	Machine string // "run" or "task"
	State   string
	Event   string
}

// Error names the machine, the state and the event.
func (e *TransitionError) Error() string {
	return fmt.Sprintf("a %s that is %s cannot %s", e.Machine, e.State, e.Event)
}

// maxStates and maxEvents bound both machines; a test sees to it.
const (
	maxStates = 16
	maxEvents = 16
)

// dense is a transition table for the hot path: the next state plus one, zero
// where the event is refused.
type dense [maxStates][maxEvents]uint8

func compile[S, E ~uint8](table map[S]map[E]S) *dense {
	var d dense
	for from, events := range table {
		for event, to := range events {
			d[from][event] = uint8(to) + 1
		}
	}
	return &d
}

func next[S, E ~uint8](d *dense, from S, event E) (S, bool) {
	to := d[from][event]
	return S(to - 1), to != 0
}
