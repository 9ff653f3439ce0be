package plan

import "encoding/json"

// How tasks become many, wait or stand for other graphs. A task's layers stand
// in one order, outermost first: `if`, then for_each, then repeat, then what the
// task does. So `if` is asked once for the whole fan-out (ItemIf once an item),
// and every item repeats by itself.

// ForEach makes a task a map: one child an item, `train[3]`. Exactly one of
// Items, Count and Axes says over what.
type ForEach struct {
	// Items is a template that gives a list, or a whole number n for the items
	// 0 … n-1; or a reference to an artifact of JSON lines. An agent evaluates
	// it and tells how many there are, never what they are.
	Items string `json:"items,omitempty"`
	// Artifact is set instead where the items are the lines of an artifact.
	Artifact *ArtifactIn `json:"artifact,omitempty"`
	// Count is a number of items that the file itself gives.
	Count int `json:"count,omitempty"`
	// Axes are a matrix: the items are the product, the last axis fastest, each
	// an object with the axes' names.
	Axes []Axis `json:"axes,omitempty"`
	// Type of an item as expressions see it: `item`.
	Type Type `json:"type"`

	MaxParallel int `json:"max_parallel,omitempty"` // 0: all
	// Up to Tolerate children, or TolerateMilli thousandths of them, rounded
	// down, may fail: they are `tolerated`.
	Tolerate      int     `json:"tolerate,omitempty"`
	TolerateMilli int     `json:"tolerate_milli,omitempty"`
	OnEmpty       OnEmpty `json:"on_empty,omitempty"` // empty means succeed
	// StopOnFailure cancels the other children at the first failure that is not
	// tolerated (`stop_on: first_failure`).
	StopOnFailure bool `json:"stop_on_failure,omitempty"`
	// Max refuses longer lists; 0 means DefaultMaxItems.
	Max int `json:"max,omitempty"`
}

// The limits of a fan-out: what `max` defaults to, and what it may be.
const (
	DefaultMaxItems = 10_000
	MaxItems        = 100_000
)

// Axis is one dimension of a matrix: its values as canonical JSON.
type Axis struct {
	Name   string            `json:"name"`
	Type   Type              `json:"type"`
	Values []json.RawMessage `json:"values"`
}

// OnEmpty says what a map over nothing becomes.
type OnEmpty string

// The ends of a map over nothing.
const (
	OnEmptySucceed OnEmpty = "succeed"
	OnEmptySkip    OnEmpty = "skip"
	OnEmptyFail    OnEmpty = "fail"
)

// Known is how many items the file itself gives, if it does.
func (f *ForEach) Known() (int, bool) {
	if f.Count > 0 {
		return f.Count, true
	}
	if len(f.Axes) == 0 {
		return 0, false
	}
	n := 1
	for i := range f.Axes {
		n *= len(f.Axes[i].Values)
	}
	return n, true
}

// Tolerated is how many of n children may fail.
func (f *ForEach) Tolerated(n int) int {
	if f.TolerateMilli > 0 {
		return n * f.TolerateMilli / 1000
	}
	return f.Tolerate
}

// Limit is how many items there may be.
func (f *ForEach) Limit() int {
	if f.Max > 0 {
		return f.Max
	}
	return DefaultMaxItems
}

// Repeat makes a task a loop: passes one after the other, `search[4]`, until
// Until, asked of an agent after each pass, is true. It reads the pass that just
// ended (`tasks.<inner>` or, for a task without inner tasks, `outputs`). When Max
// passes did not do, the loop fails, or succeeds with OnMax "succeed".
type Repeat struct {
	Until string `json:"until"`
	Max   int    `json:"max"`
	OnMax string `json:"on_max,omitempty"` // "fail" (empty) or "succeed"
}

// Wait is a task that holds no agent until its time has come: For after it is
// reached, or the moment that the template Until gives (an RFC 3339 string).
type Wait struct {
	For   Millis `json:"for_ms,omitempty"`
	Until string `json:"until,omitempty"`
}

// Signal is a task that waits for a message from outside. One that came before
// the task was reached is kept for it.
type Signal struct {
	Name      string    `json:"name"`
	Type      Type      `json:"type,omitempty"` // of the payload; empty: none
	Timeout   Millis    `json:"timeout_ms,omitempty"`
	OnTimeout OnTimeout `json:"on_timeout,omitempty"`
}

// Approve is a task that waits for people.
type Approve struct {
	// Message is a template, evaluated and sealed by an agent. Text is a message
	// that needs no agent, since there is nothing in it to evaluate.
	Message string `json:"message,omitempty"`
	Text    string `json:"text,omitempty"`
	// By names who may vote: `role:admin`, `user:ann@example.org`; empty means
	// whoever may approve in the workspace.
	By           []string  `json:"by,omitempty"`
	Required     int       `json:"required,omitempty"` // 0 means 1
	NotRequester bool      `json:"not_requester,omitempty"`
	Timeout      Millis    `json:"timeout_ms,omitempty"`
	OnTimeout    OnTimeout `json:"on_timeout,omitempty"`
	OnReject     OnTimeout `json:"on_reject,omitempty"`
}

// OnTimeout says what a wait for somebody becomes that was in vain.
type OnTimeout string

// The ends of a wait in vain; empty means fail.
const (
	OnTimeoutFail    OnTimeout = "fail"
	OnTimeoutSkip    OnTimeout = "skip"
	OnTimeoutApprove OnTimeout = "approve" // of approvals only
)

// Container reports whether the task's end is the end of other tasks.
func (t *Task) Container() bool {
	return t.ForEach != nil || t.Repeat != nil || t.Group
}

// Asks reports whether an agent must decide something before the task starts:
// its condition, its items, the moment it waits for, its message.
func (t *Task) Asks() bool {
	return t.If != "" || (t.ForEach != nil && (t.ForEach.Items != "" || t.ForEach.Artifact != nil)) ||
		(t.ForEach == nil && t.asksInside())
}

// AsksItem is Asks for one child of a map.
func (t *Task) AsksItem() bool {
	return t.ForEach != nil && (t.ItemIf != "" || t.asksInside())
}

func (t *Task) asksInside() bool {
	switch {
	case t.Wait != nil:
		return t.Wait.Until != ""
	case t.Approve != nil:
		return t.Approve.Message != ""
	}
	return len(t.With) > 0
}
