package guard

import "time"

// The guard's extra file descriptors, in the order of exec.Cmd.ExtraFiles.
const (
	controlFD = 3 // the guard reads an Order, then Stops, one JSON object each
	eventFD   = 4 // the guard writes Events, one JSON object each
)

// Order is the first object on the control pipe: what to run.
type Order struct {
	Argv []string `json:"argv"`
	Env  []string `json:"env"`
	Dir  string   `json:"dir"`
	// OrphanGrace is the time between TERM and KILL when the agent is gone. It
	// is short: the attempt is lost, and its successor may be about to start.
	OrphanGrace time.Duration `json:"orphan_grace"`
}

// Stop is every further object on the control pipe: end the step.
type Stop struct {
	Grace time.Duration `json:"grace"` // between TERM and KILL
}

// Event is what the guard reports. Exactly one field is set.
type Event struct {
	Started    *Started    `json:"started,omitempty"`
	NotStarted *NotStarted `json:"not_started,omitempty"`
	Ended      *Ended      `json:"ended,omitempty"`
	Clean      *Clean      `json:"clean,omitempty"`
}

// Started says that the step's main process runs.
type Started struct {
	PID int `json:"pid"` // also its process group
}

// NotStarted says why the step's main process could not be started.
type NotStarted struct {
	Text string `json:"text"`
	Code int    `json:"code"` // what a shell would return: 126 or 127
}

// Ended says how the step's main process ended.
type Ended struct {
	Code    int           `json:"code"`             // 128+n for a signal
	Signal  string        `json:"signal,omitempty"` // its name, if one ended it
	Stopped bool          `json:"stopped"`          // the guard had sent TERM or KILL before
	Ran     time.Duration `json:"ran"`              // by the monotonic clock
	CPU     time.Duration `json:"cpu"`
	MaxRSS  int64         `json:"max_rss"` // bytes
}

// Clean is the last event: nothing of the step is left, or only what cannot be
// killed (another user's processes, a kernel that does not let go).
type Clean struct {
	Left []int `json:"left,omitempty"`
}
