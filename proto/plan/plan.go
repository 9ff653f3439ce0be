package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Format is the only plan format this package reads and writes.
const Format = "signalbox.plan/v1"

// Plan is one immutable version of a pipeline. Tasks stand in the order of the
// file; a task's index in Tasks is its identity inside the engine, its name its
// identity everywhere else. Exit handlers are tasks too: they come last and
// carry Exit.
type Plan struct {
	Format    string            `json:"format"`
	Name      string            `json:"name"`
	Pool      string            `json:"pool"`
	Labels    map[string]string `json:"labels,omitempty"`
	Source    *Source           `json:"source,omitempty"`
	Params    []Param           `json:"params,omitempty"`
	Deadline  Millis            `json:"deadline_ms,omitempty"`
	OnFailure OnTaskFailure     `json:"on_task_failure,omitempty"`
	Schedules []Schedule        `json:"schedules,omitempty"`
	// Concurrency bounds how many runs go on at once; nil: nothing does.
	Concurrency *Concurrency `json:"concurrency,omitempty"`
	// Outputs are what a run as a whole leaves, each the output of one of its
	// tasks (From): what a task that runs this pipeline hands on.
	Outputs []Output `json:"outputs,omitempty"`
	Tasks   []Task   `json:"tasks"`
}

// Millis is a duration in whole milliseconds; zero means none.
type Millis int64

// OnTaskFailure says what a run does at its first non-tolerated failure. Empty
// is the default: tasks that do not depend on the failed one go on.
type OnTaskFailure string

// The failure modes of a run (model.md §4).
const (
	OnFailureContinue OnTaskFailure = "continue"
	OnFailureStop     OnTaskFailure = "stop_scheduling"
	OnFailureCancel   OnTaskFailure = "cancel_running"
)

// Source says where a step's code is. Path is a folder on the agent.
type Source struct {
	Path string `json:"path,omitempty"`
}

// Param is a declared input of a run. Default and the bounds are canonical JSON
// of the declared type; a private default is an envelope instead.
type Param struct {
	Name          string          `json:"name"`
	Type          Type            `json:"type"`
	Open          bool            `json:"open,omitempty"`
	Required      bool            `json:"required,omitempty"`
	Default       json.RawMessage `json:"default,omitempty"`
	SealedDefault string          `json:"sealed_default,omitempty"` // an envelope, in base64 for URLs without padding
	Min           json.RawMessage `json:"min,omitempty"`
	Max           json.RawMessage `json:"max,omitempty"`
	Enum          []string        `json:"enum,omitempty"`
	Description   string          `json:"description,omitempty"`
}

// Task is one node of the graph.
type Task struct {
	Name string `json:"name"`
	// Needs holds the indices in Plan.Tasks of all upstream tasks, those that
	// are named by `needs:` and those inferred from references, ascending.
	Needs []int  `json:"needs,omitempty"`
	Rule  Rule   `json:"rule,omitempty"`
	Exit  ExitOn `json:"exit,omitempty"` // set on exit handlers only

	// In is the group that this task is part of: its index in Plan.Tasks plus
	// one; 0 for a task of the pipeline itself. Those come first, exit handlers
	// after them, and then the inner tasks, each group's one after the other. An
	// inner task's Name is its path, `fold/train`; its Needs name tasks of the
	// same group only: what it reads from outside, its group needs.
	In int `json:"in,omitempty"`
	// Template keeps a task out of the graph: steps add instances of it at run
	// time ($SB_PLAN).
	Template bool `json:"template,omitempty"`

	// Exactly one of these says what the task does: Run (a shell script),
	// Command (an argv), Group (the tasks In it), Pipeline, Wait, Signal,
	// Approve.
	Run      string   `json:"run,omitempty"`
	Command  []string `json:"command,omitempty"`
	Group    bool     `json:"group,omitempty"`
	Pipeline *Nested  `json:"pipeline,omitempty"`
	Wait     *Wait    `json:"wait,omitempty"`
	Signal   *Signal  `json:"signal,omitempty"`
	Approve  *Approve `json:"approve,omitempty"`

	// If and ItemIf are conditions in CEL, decided by an agent of the run's
	// pool; ItemIf is the one that reads `item`.
	If      string   `json:"if,omitempty"`
	ItemIf  string   `json:"item_if,omitempty"`
	ForEach *ForEach `json:"for_each,omitempty"`
	Repeat  *Repeat  `json:"repeat,omitempty"`
	// With are the params of a nested pipeline: name to template.
	With map[string]string `json:"with,omitempty"`
	// Asked is what the task's decisions read (if, for_each, until, message,
	// with), as Reads is what its step reads.
	Asked Reads `json:"asked,omitzero"`

	// Env maps a name to a template of proto/expr (`${{ }}`); Secrets maps a
	// name to a reference that the agent resolves (`env:NAME`, `file:/path`).
	Env     map[string]string `json:"env,omitempty"`
	Secrets map[string]string `json:"secrets,omitempty"`

	Outputs      []Output      `json:"outputs,omitempty"`
	ArtifactsIn  []ArtifactIn  `json:"artifacts_in,omitempty"`
	ArtifactsOut []ArtifactOut `json:"artifacts_out,omitempty"`

	// Reads lists what the task's templates read, so that a lease can carry
	// just these values and go only to an agent that can open them.
	Reads Reads `json:"reads,omitzero"`

	Pool      string            `json:"pool"`
	Priority  int               `json:"priority,omitempty"` // higher first
	Labels    map[string]string `json:"labels,omitempty"`
	Select    map[string]string `json:"select,omitempty"` // labels the agent must have
	Resources Resources         `json:"resources,omitzero"`
	Retry     Retry             `json:"retry,omitzero"`
	Timeouts  Timeouts          `json:"timeouts,omitzero"`
	Source    *Source           `json:"source,omitempty"`
	// Tolerate makes a failure of this task count as success for its
	// downstream tasks and the run.
	Tolerate bool  `json:"tolerate,omitempty"`
	Limits   []Use `json:"limits,omitempty"`
	Gang     *Gang `json:"gang,omitempty"`
}

// Rule is a trigger rule of model.md §4; empty means all_success.
type Rule string

// ExitOn says at which outcome an exit handler runs.
type ExitOn string

// The outcomes an exit handler may wait for.
const (
	ExitAlways    ExitOn = "always"
	ExitSucceeded ExitOn = "succeeded"
	ExitFailed    ExitOn = "failed"
	ExitCanceled  ExitOn = "canceled"
)

// Output is a declared small result. An open output may be seen by the control
// plane; all others leave the agent sealed. From is set on the outputs of a group
// and of a pipeline: the output of the inner task that it hands out.
type Output struct {
	Name string     `json:"name"`
	Type Type       `json:"type"`
	Open bool       `json:"open,omitempty"`
	From *OutputRef `json:"from,omitempty"`
}

// Nested is a task that runs another pipeline of the workspace.
type Nested struct {
	Name string `json:"name"`
	// Digest pins the version; zero means the one deployed when the task starts.
	Digest         string `json:"digest,omitempty"`
	OnParentCancel string `json:"on_parent_cancel,omitempty"` // "cancel" (empty) or "abandon"
	// Open lists which of With the pipeline declares open: agents seal the others.
	Open []string `json:"open,omitempty"`
}

// ArtifactIn stages another task's artifact at $SB_IN/<Name>.
type ArtifactIn struct {
	Name     string `json:"name"`
	Task     string `json:"task"`
	Artifact string `json:"artifact"`
}

// ArtifactOut declares a file or folder that the step leaves behind. Path is
// relative to the step's working folder; empty means $SB_OUT/<Name>.
type ArtifactOut struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
	Path string `json:"path,omitempty"`
}

// Reads names the values that a step or a decision needs, complete: what reads
// `item` reads what the map's for_each reads, too.
type Reads struct {
	Params  []string    `json:"params,omitempty"`
	Outputs []OutputRef `json:"outputs,omitempty"` // see Plan.Origin
	// Artifacts are those of which for_each takes the lines; ArtifactsIn are not
	// among them.
	Artifacts []ArtifactRef `json:"artifacts,omitempty"`
	States    []string      `json:"states,omitempty"` // tasks of which the end is read
	Run       bool          `json:"run,omitempty"`    // reads run.* (exit handlers)
}

// ArtifactRef names an artifact of another task.
type ArtifactRef struct {
	Task     string `json:"task"`
	Artifact string `json:"artifact"`
}

// OutputRef names an output of another task.
type OutputRef struct {
	Task   string `json:"task"`
	Output string `json:"output"`
}

// Resources is what one attempt asks of an agent. Slots defaults to 1.
type Resources struct {
	Slots       int      `json:"slots,omitempty"`
	CPUMillis   int64    `json:"cpu_millis,omitempty"`
	MemoryBytes int64    `json:"memory_bytes,omitempty"`
	GPUs        int      `json:"gpus,omitempty"`
	GPUTypes    []string `json:"gpu_types,omitempty"` // any of these
}

// Retry holds the three budgets (model.md §3): how often an attempt may be
// repeated after a failure of the user's code, of the infrastructure, or after
// a preemption.
type Retry struct {
	User    int `json:"user,omitempty"`
	Infra   int `json:"infra,omitempty"`
	Preempt int `json:"preempt,omitempty"`
	// Steps are fixed waits; the last repeats. Empty: Base·Factor^(k-1), at most Cap.
	Steps       []Millis `json:"steps_ms,omitempty"`
	Base        Millis   `json:"base_ms,omitempty"`
	FactorMilli int64    `json:"factor_milli,omitempty"` // 2000 = 2.0
	Cap         Millis   `json:"cap_ms,omitempty"`
	Jitter      Jitter   `json:"jitter,omitempty"`
	Never       []string `json:"never,omitempty"` // "exit:2"
}

// Jitter spreads retries; the spread is reproducible (model.md §3).
type Jitter string

// The kinds of jitter.
const (
	JitterNone  Jitter = "none"
	JitterEqual Jitter = "equal"
	JitterFull  Jitter = "full"
)

// Timeouts are a task's clocks. Queue is kept by the control plane, the others
// by the agent, whose clock does not stop when ours does.
type Timeouts struct {
	Queue Millis `json:"queue_ms,omitempty"`
	Start Millis `json:"start_ms,omitempty"`
	Run   Millis `json:"run_ms,omitempty"`
	// RunAutoMilli is set instead of Run: thousandths of the median of what the
	// task's last successes took, which its lease tells.
	RunAutoMilli int64  `json:"run_auto_milli,omitempty"`
	Progress     Millis `json:"progress_ms,omitempty"`
	Grace        Millis `json:"grace_ms,omitempty"` // between TERM and KILL; default 10 s
}

// Digest is the sha256 of a plan's bytes: the identity of a version.
type Digest [sha256.Size]byte

// String is the digest in lower-case hex, as people see it.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// DigestOf hashes plan bytes.
func DigestOf(b []byte) Digest { return sha256.Sum256(b) }

// Encode writes the canonical bytes: struct order, sorted map keys, no HTML
// escapes, no trailing newline.
func (p *Plan) Encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// Decode reads plan bytes and refuses what it does not know: an agent must not
// run a task of which it understands only a part.
func Decode(b []byte) (*Plan, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var p Plan
	if err := dec.Decode(&p); err != nil {
		return nil, fmt.Errorf("decode plan: %w", err)
	}
	if p.Format != Format {
		return nil, fmt.Errorf("decode plan: format %q is not %q; a newer agent may know it", p.Format, Format)
	}
	return &p, nil
}

// Task returns the task of that name and its index.
func (p *Plan) Task(name string) (*Task, int, bool) {
	for i := range p.Tasks {
		if p.Tasks[i].Name == name {
			return &p.Tasks[i], i, true
		}
	}
	return nil, 0, false
}
