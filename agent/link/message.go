package link

import (
	"encoding/json"
	"time"
)

// Capacity is what an agent has, or has free.
type Capacity struct {
	Slots       int
	CPUMillis   int64
	MemoryBytes int64
	GPUs        int
	GPUType     string // of all of them; said of what an agent has, not of what is free
	Decisions   int    // they take nothing else
}

// Lease is the right of this session to run one attempt.
type Lease struct {
	ID        int64 // the fence: everything that is said of the attempt carries it
	Run       string
	RunNumber int64
	Pipeline  string
	Version   string // digest of the plan's bytes, in hex
	Task      string
	Attempt   uint32
	Deadline  time.Time // zero without one
	// RunLimit is how long the step may run where its plan leaves that open; 0: no
	// limit is known yet.
	RunLimit time.Duration
	// Nominal is the time that a scheduled run stands for, at the end of the
	// interval; zero for others.
	Nominal, IntervalStart, IntervalEnd time.Time

	Labels     map[string]string
	RunOutcome string // exit handlers only
	HasInputs  bool
	PlanTask   string   // the task's name in the plan; Task is its path
	Indexes    []uint32 // of the items and passes that the path names, outermost first
	Decision   Decision
	GangRank   uint32
	GangSize   uint32 // 0: the attempt is no gang's
	Rendezvous string // the address of member 0's agent, sealed as text; empty if it told none
}

// Decision is what is to be decided for a task; DecideNothing is a step to run.
type Decision int

// The decisions.
const (
	DecideNothing Decision = iota
	DecideBegin            // all that is asked before it starts
	DecideItem             // the same for one item of a map
	DecideUntil            // whether a loop is done
	DecideUnknown          // something that a later release knows
)

// Phase is how far an attempt is.
type Phase int

// The phases.
const (
	PhaseLeased Phase = iota
	PhaseStarting
	PhaseRunning
)

// Held is a lease that the agent has.
type Held struct {
	Lease   int64
	Phase   Phase
	Running time.Duration // how long the step runs, in PhaseRunning
}

// Action is what to do with a lease.
type Action int

// The actions.
const (
	ActionStop  Action = iota // TERM, and KILL after the grace; then report
	ActionKill                // KILL at once; then report
	ActionStale               // the lease is gone: kill, and drop the results
)

// Order tells the agent what to do with a lease that it holds.
type Order struct {
	Lease  int64
	Action Action
	Grace  time.Duration
}

// DataKind is what a reader asks for.
type DataKind int

// The kinds of data.
const (
	DataUnknown DataKind = iota
	DataLogs
	DataValues
)

// DataRequest asks for logs or values, sealed to a reader's key.
type DataRequest struct {
	Stream    string
	Grant     string
	Run       string
	Task      string
	Attempt   uint32 // 0: the last one
	Kind      DataKind
	PublicKey []byte
	Offset    uint64
	Follow    bool
}

// Work is what an answer carries.
type Work struct {
	Leases []Lease
	Orders []Order
	Data   []DataRequest
}

// Value is a small typed input or output: exactly one of Open and Sealed is set.
type Value struct {
	Name   string          `json:"name"`
	Type   string          `json:"type"`
	Open   json.RawMessage `json:"open,omitempty"`
	Sealed []byte          `json:"sealed,omitempty"`
	Size   uint32          `json:"size"`
	// SealedAs is the name under which a nested pipeline's run sealed it; empty:
	// the one that the task's name and its own give.
	SealedAs string `json:"sealed_as,omitempty"`
}

// Artifact is a large result: where it is and what it is.
type Artifact struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	SealedURI []byte `json:"sealed_uri"`
	Digest    string `json:"digest"`
	Size      uint64 `json:"size"`
}

// TaskValues is what one task of a run left.
type TaskValues struct {
	Task      string
	Attempt   uint32 // of a run's values
	Agent     string // where it ran; of a lease's inputs
	Outputs   []Value
	Artifacts []Artifact
	Signal    string // of a run's values: the signal that brought the outputs
	Message   *Value // of a run's values: what an approval asks, sealed

	// Of a lease's inputs: which child of a map left this, by the maps between
	// the task and its reader, outermost first; how many items they have; and how
	// the task ended.
	Indexes []uint32
	Counts  []uint32
	State   string
}

// Inputs are a page of the values that a leased task reads.
type Inputs struct {
	Params []Value
	Tasks  []TaskValues
	Env    []Value // of a task that a step has added
	Next   string  // the token of the next page; empty for the last one
}

// SealedError is the error text of an attempt.
type SealedError struct {
	Task    string
	Attempt uint32
	Sealed  []byte
}

// RunValues are all values of a run.
type RunValues struct {
	Params []Value
	Tasks  []TaskValues
	Errors []SealedError
}

// Report ends one attempt. It is kept in the spool as JSON until it is
// acknowledged, so its fields must stay readable by later releases.
type Report struct {
	Lease    int64  `json:"lease"`
	Run      string `json:"run"`
	Task     string `json:"task"`
	Attempt  uint32 `json:"attempt"`
	Outcome  string `json:"outcome"`
	Cause    string `json:"cause,omitempty"`
	ExitCode int32  `json:"exit_code,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Final    bool   `json:"final,omitempty"`
	Started  bool   `json:"started,omitempty"`

	Duration time.Duration `json:"duration,omitempty"`
	// Finished is by the wall clock, which alone survives a restart of the agent.
	Finished time.Time `json:"finished"`

	Outputs     []Value    `json:"outputs,omitempty"`
	Artifacts   []Artifact `json:"artifacts,omitempty"`
	SealedError []byte     `json:"sealed_error,omitempty"`
	LogBytes    uint64     `json:"log_bytes,omitempty"`

	Decided *Decided  `json:"decided,omitempty"`
	Planned []Planned `json:"planned,omitempty"`
}

// Decided is what an agent decided: never a value.
type Decided struct {
	Yes     bool      `json:"yes,omitempty"`
	Count   uint32    `json:"count,omitempty"`   // of items
	Digests [][]byte  `json:"digests,omitempty"` // one for each item, 16 bytes
	Until   time.Time `json:"until,omitzero"`    // when a wait ends
	Values  []Value   `json:"values,omitempty"`  // sealed
}

// Planned is a task that a step adds.
type Planned struct {
	ID       string   `json:"id"`
	Template string   `json:"template"`
	Needs    []string `json:"needs,omitempty"`
	Env      []Value  `json:"env,omitempty"`
}

// Answer is what became of a report.
type Answer int

// The answers.
const (
	AnswerRetry    Answer = iota // not recorded: send it again
	AnswerAccepted               // recorded, now or by an earlier delivery
	AnswerStale                  // the lease was gone: drop the results
)

// SealingKey is the public half of the workspace's sealing key. It is empty
// where the workspace has none yet.
type SealingKey struct {
	KID    string
	Public []byte
}

// Opening is how an agent opens a session.
type Opening struct {
	Capacity     Capacity
	Labels       map[string]string
	Version      string
	SealingKIDs  []string
	PolicyDigest []byte
	Address      string // by which other agents reach this one, sealed as text
	// Replaces names the session before this one, Adopted the leases of it that
	// live on.
	Replaces string
	Adopted  []int64
}

// Session is a living connection.
type Session struct {
	ID        string
	Heartbeat time.Duration // how often to ask at least
	Orders    []Order
}

// Poll asks for work.
type Poll struct {
	Session  string
	Free     Capacity
	Wait     time.Duration
	Held     []Held // all there are
	Draining bool
	Closing  bool // the session ends with this poll
}

// Frame is one sealed piece of a stream.
type Frame struct {
	Seq        uint64
	Ciphertext []byte
	Last       bool
}
