package fakeplane

import (
	"cmp"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

type leaseState int

const (
	stateReady leaseState = iota
	stateLeased
	stateEnded
	stateGone // lost, or never known: reports of it are stale
)

type lease struct {
	message *agentv1.Lease
	params  []*runv1.Value
	env     []*runv1.Value
	pages   [][]*agentv1.InputTask
	state   leaseState
	granted time.Time
	order   *agentv1.Order
	phase   agentv1.Phase
	report  *agentv1.AttemptReport
	reports int // how often it was reported
}

// Attempt is what a test wants run.
type Attempt struct {
	Version  string // of Deploy
	Run      id.UUID
	Task     string
	Number   uint32
	Params   []*runv1.Value
	Deadline time.Time
	Labels   map[string]string
	Outcome  string // of the run, for exit handlers

	PlanTask string // the task's name in the plan, where that is not Task
	Indexes  []uint32
	Decision agentv1.Decision
	Env      []*runv1.Value // of a task that a step has added
	RunLimit time.Duration
	Gang     uint32 // members; 0: no gang
	Rank     uint32
	Meeting  string                 // the sealed address of the member of rank 0
	Pages    [][]*agentv1.InputTask // instead of what earlier tasks of the run left
}

// Deploy stores a plan and returns its version.
func (p *Plane) Deploy(plan_ *plan.Plan) string {
	p.t.Helper()
	if plan_.Format == "" {
		plan_.Format = plan.Format
	}
	content, err := plan_.Encode()
	require.NoError(p.t, err)
	version := plan.DigestOf(content).String()
	p.DeployBytes(version, content)
	return version
}

// DeployBytes stores any bytes as a version, also such as do not hash to it.
func (p *Plane) DeployBytes(version string, content []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plans[version] = content
}

// Queue makes an attempt ready and returns its lease.
func (p *Plane) Queue(a Attempt) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastID++
	if a.Number == 0 {
		a.Number = 1
	}
	decoded, err := plan.Decode(p.plans[a.Version])
	name := "unknown"
	if err == nil {
		name = decoded.Name
	}
	message := &agentv1.Lease{
		Id: p.lastID, RunId: id.Format(id.Run, a.Run), RunNumber: 1, Pipeline: name, Version: a.Version,
		Task: a.Task, Attempt: a.Number, GrantedAt: timestamppb.Now(), Labels: a.Labels, RunOutcome: a.Outcome, HasInputs: true,
		PlanTask: a.PlanTask, Indexes: a.Indexes, Decision: a.Decision, GangSize: a.Gang, GangRank: a.Rank, Rendezvous: a.Meeting,
	}
	if a.Decision != agentv1.Decision_DECISION_UNSPECIFIED {
		message.Attempt = 0
	}
	message.RunLimitMs = a.RunLimit.Milliseconds()
	if !a.Deadline.IsZero() {
		message.Deadline = timestamppb.New(a.Deadline)
	}
	p.leases[p.lastID] = &lease{message: message, params: a.Params, env: a.Env, pages: a.Pages}
	p.wake()
	return p.lastID
}

// Force sends a lease at the next poll although nothing is free, as when an
// answer was lost that had brought it.
func (p *Plane) Force(lease int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leases[lease].state, p.leases[lease].granted = stateLeased, time.Now().Add(-2*resendAfter)
	p.wake()
}

// Order tells the agent what to do with a lease at its next poll.
func (p *Plane) Order(lease int64, action agentv1.Order_Action, grace time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leases[lease].order = &agentv1.Order{LeaseId: lease, Action: action, GraceMs: uint32(grace.Milliseconds())}
	p.wake()
}

// Lose ends a lease as the reaper does: what the agent says of it is stale.
func (p *Plane) Lose(lease int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leases[lease].state = stateGone
	p.wake()
}

// Report waits for the report of a lease.
func (p *Plane) Report(lease int64) *agentv1.AttemptReport {
	p.t.Helper()
	p.until("a report", func() bool { return p.leases[lease].report != nil })
	p.mu.Lock()
	defer p.mu.Unlock()
	return proto.CloneOf(p.leases[lease].report)
}

// Reports is how often a lease was reported, accepted or not.
func (p *Plane) Reports(lease int64) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.leases[lease].reports
}

// Accepted reports whether an attempt counts.
func (p *Plane) Accepted(lease int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.leases[lease].report != nil
}

// AwaitReports waits until a lease was reported so often.
func (p *Plane) AwaitReports(lease int64, times int) {
	p.t.Helper()
	p.until("reports", func() bool { return p.leases[lease].reports >= times })
}

// AwaitPhase waits until the agent has told that an attempt is so far.
func (p *Plane) AwaitPhase(lease int64, phase agentv1.Phase) {
	p.t.Helper()
	p.until("a phase", func() bool { return p.leases[lease].phase >= phase })
}

// ready returns the waiting leases, oldest first. The lock is held.
func (p *Plane) ready() []*lease {
	var all []*lease
	for _, l := range p.leases {
		if l.state == stateReady {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b *lease) int { return int(a.message.GetId() - b.message.GetId()) })
	return all
}

// inputs are the results of the tasks of a run that succeeded before. The lock
// is held.
func (p *Plane) inputs(run string) []*agentv1.InputTask {
	var tasks []*agentv1.InputTask
	for _, l := range p.leases {
		if l.message.GetRunId() != run || l.report.GetOutcome() != "succeeded" || l.report.GetAnswer() != nil {
			continue
		}
		agent := ""
		for id := range p.agents {
			agent = id
		}
		tasks = append(tasks, &agentv1.InputTask{
			Task: cmp.Or(l.message.GetPlanTask(), l.message.GetTask()), AgentId: agent, State: "succeeded", Outputs: l.report.GetOutputs(), Artifacts: l.report.GetArtifacts(),
		})
	}
	return tasks
}
