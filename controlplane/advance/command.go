package advance

import (
	"errors"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// RunKey names a run. Everything of the engine's role is keyed by organization
// as well, so that a mixed-up id finds nothing.
type RunKey struct {
	Org id.UUID
	Run id.UUID
}

// StartRun makes a run. Its caller has checked, under the organization's own
// policy, that pipeline and version are there and that the params fit.
type StartRun struct {
	Org       id.UUID
	Workspace id.UUID
	Pipeline  id.UUID
	Digest    plan.Digest
	// Key makes it idempotent; empty: every call starts a run. Fingerprint is
	// the sha256 of what was asked.
	Key         string
	Fingerprint [32]byte
	Params      []byte
	LabelSet    int64
	Labels      map[string]string
	Priority    int32
	Cause       string
	Actor       string
	// Fire is what a schedule started it for, and Schedule which; nil for other
	// runs.
	Fire     *Fire
	Schedule id.UUID
	// At is when it may begin; zero or past: at once.
	At time.Time
	// Line is the evaluated concurrency key; nil where the plan knows none.
	Line *string
	// IfRunning and IfDone say what becomes of a start whose key has started a
	// run before, by whether that one still goes on.
	IfRunning IfRunning
	IfDone    IfDone
	// Seed is what the run takes over from another one; nil for nothing.
	Seed *engine.Seed
	// Parent is the task whose child it is; nil for a run of its own.
	Parent *Parent
	// Deployed says that Digest is what was deployed when its caller last looked:
	// if another version is by now, nothing is started, and ErrMoved answers.
	Deployed bool
}

// Fire is the time that a scheduled run stands for, and where the interval begins
// that ends there.
type Fire struct {
	Nominal, IntervalStart time.Time
}

// IfRunning is what becomes of a start whose key has a run that goes on.
type IfRunning string

// The answers to a key whose run goes on; none means use, of the very same start
// only.
const (
	IfRunningUse    IfRunning = "use"
	IfRunningFail   IfRunning = "fail"
	IfRunningCancel IfRunning = "cancel"
)

// IfDone is what becomes of a start whose key has a run that has ended.
type IfDone string

// The answers to a key whose run has ended; none means that this run is meant.
const (
	IfDoneAllow      IfDone = "allow"
	IfDoneFailedOnly IfDone = "failed_only"
	IfDoneReject     IfDone = "reject"
)

// Started is the answer to StartRun.
type Started struct {
	Run id.UUID
	// Created is false when the key had started the run before.
	Created bool
	// Standing is how a run stands that was created and has begun; else nil.
	Standing *Standing
}

// Standing is a run as it was committed.
type Standing struct {
	Digest                             plan.Digest
	Labels                             map[string]string
	Priority                           int32
	Number, Seq                        int64
	State, Reason, Outcome             string
	Generation                         int32
	CreatedAt, StartedAt, FinishedAt   time.Time
	TasksTotal, TasksDone, TasksFailed int32
}

// ErrMoved answers a start of a version that is not the deployed one any more.
var ErrMoved = errors.New("another version is deployed")

// CancelRun asks a run to end; see engine.Cancel.
type CancelRun struct {
	RunKey

	Actor  string
	Reason string
	Force  bool
}

// RetryRun opens a new generation; see engine.Retry.
type RetryRun struct {
	RunKey

	Actor      string
	Generation int32
}

// Free is the capacity that an agent offers with a request. It belongs to the
// request until it is answered.
type Free struct {
	Slots       int32
	CPUMillis   int64
	MemoryBytes int64
	GPUs        int32
	// Decisions is how many leases without a slot are taken besides.
	Decisions int32
}

// takes reports whether there is room for anything.
func (f *Free) takes() bool { return f.Slots > 0 || f.Decisions > 0 }

// Held is a lease that an agent says it has.
type Held struct {
	Lease   int64
	Phase   string
	Started bool
	// Since is how long ago the step started.
	Since time.Duration
}

// Poll is an agent's request for work, and its heartbeat.
type Poll struct {
	Org     id.UUID
	Agent   id.UUID
	Session id.UUID
	Free    Free
	// Wait is how long to wait for work; zero answers at once.
	Wait time.Duration
	// ListsLeases says that Held is all the agent has.
	ListsLeases bool
	Held        []Held
	Draining    bool
	// Wake ends the wait early: there is something else to tell the agent.
	Wake <-chan struct{}
	// Forwarded: another replica handed it over, see ElsewhereError.
	Forwarded bool
}

// Report ends attempts and may take the next leases with its answer.
type Report struct {
	Org     id.UUID
	Agent   id.UUID
	Session id.UUID
	Reports []AttemptReport
	Free    Free
}

// ReportStatus is the answer to one AttemptReport.
type ReportStatus uint8

// The answers to a report.
const (
	// ReportAccepted: recorded, now or by an earlier delivery.
	ReportAccepted ReportStatus = iota + 1
	// ReportStale: the lease was gone and nothing was recorded.
	ReportStale
	// ReportRetry: not recorded; send it again.
	ReportRetry
)

// Lease is the right to run one attempt, with what its agent needs to know.
type Lease struct {
	ID         int64
	Run        id.UUID
	Number     int64
	Pipeline   string
	Digest     plan.Digest
	Task       string
	Attempt    int32
	GrantedAt  time.Time
	Deadline   time.Time
	RunLimit   plan.Millis // of a task whose limit is `auto`; 0: none
	Fire       *Fire       // of a scheduled run
	Labels     map[string]string
	RunOutcome string
	HasInputs  bool
	// PlanTask is the task's name in the plan, Task its path in the run; Indexes
	// are the ordinals that the path names.
	PlanTask string
	Indexes  []int32
	// Asking is what is to be decided; AskNothing for a step.
	Asking engine.Ask
	Gang   *GangMember // nil: the attempt has this lease only
}

// GangMember is which member of a gang a lease is.
type GangMember struct {
	Rank, Size int32
	// Rendezvous is the address of the agent that has member 0.
	Rendezvous string
}

// Action is what an agent is told to do with a lease it holds.
type Action uint8

// The actions of an Order.
const (
	ActionStop Action = iota + 1
	ActionStale
	ActionKill
)

// Order tells an agent what to do with a lease it holds.
type Order struct {
	Lease  int64
	Action Action
	Grace  time.Duration
}

// Work is what an agent's request is answered with.
type Work struct {
	Leases []Lease
	Orders []Order
	// Status answers Report's reports, in their order.
	Status []ReportStatus
}

// Due is a timer whose time has come.
type Due struct {
	RunKey

	Kind    string
	Task    int32
	Attempt int32

	missing string // what was missing, of a queue timeout
}

// Lose ends a lease whose session has ended.
type Lose struct {
	RunKey

	Lease   int64
	Session id.UUID
}

// EndSession marks a session as ended if it expired, was replaced or revoked.
// Its leases are then lost, one Lose each.
type EndSession struct {
	Org     id.UUID
	Session id.UUID
	// Force ends it although it has not expired.
	Force bool
}
