package work

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/step"
	"github.com/signalboxhq/signalbox/agent/value"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// maxPlans is how many plans are kept; a pool rarely serves more at a time.
const maxPlans = 64

// planSource is what of the link is needed for plans.
type planSource interface {
	Plan(ctx context.Context, pipeline, version string) ([]byte, error)
}

// plans keeps verified plans by their version. A version never changes.
type plans struct {
	source planSource

	mu   sync.Mutex
	kept map[string]*value.Program
}

func newPlans(source planSource) *plans {
	return &plans{source: source, kept: map[string]*value.Program{}}
}

// get returns a plan, or the verdict for an attempt that cannot have it.
func (p *plans) get(ctx context.Context, pipeline, version string) (*value.Program, *step.Verdict) {
	p.mu.Lock()
	program, ok := p.kept[version]
	p.mu.Unlock()
	if ok {
		return program, nil
	}
	var content []byte
	err := insist(ctx, func() (err error) {
		content, err = p.source.Plan(ctx, pipeline, version)
		return err
	})
	if err != nil {
		return nil, lost("the plan could not be fetched", err)
	}
	// This is what keeps whoever stands between author and agent from changing
	// what runs.
	want, err := hex.DecodeString(version)
	if got := plan.DigestOf(content); err != nil || string(want) != string(got[:]) {
		text := fmt.Sprintf("the plan's bytes do not hash to version %s", version)
		return nil, refused(step.CausePolicy, text, text)
	}
	decoded, err := plan.Decode(content)
	if err != nil {
		return nil, rejected("this agent is too old for the plan: " + err.Error())
	}
	program = value.NewProgram(decoded)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept) >= maxPlans {
		clear(p.kept)
	}
	p.kept[version] = program
	return program, nil
}

// expected is what a lease's task asks for, or nil if its plan is not here yet.
func (p *plans) expected(lease link.Lease) *link.Capacity {
	p.mu.Lock()
	program := p.kept[lease.Version]
	p.mu.Unlock()
	if program == nil {
		return nil
	}
	task, _, ok := program.Plan.Task(lease.PlanTask)
	if !ok {
		return nil
	}
	need := needOf(task)
	return &need
}

// insist repeats a call as long as it may still succeed: an attempt whose lease
// lives has no reason to give up because the control plane is away.
func insist(ctx context.Context, call func() error) error {
	var backoff link.Backoff
	for {
		err := call()
		if err == nil || !link.Temporary(err) || !backoff.Wait(ctx) {
			return err
		}
	}
}

// fetchPlan finds the task of a lease in a plan that is verified.
type fetchPlan struct {
	plans    *plans
	accounts *accounts
}

func (s *fetchPlan) Handle(ctx context.Context, a *Attempt) *step.Verdict {
	program, verdict := s.plans.get(ctx, a.Lease.Pipeline, a.Lease.Version)
	if verdict != nil {
		return verdict
	}
	task, index, ok := program.Plan.Task(a.Lease.PlanTask)
	if !ok {
		text := fmt.Sprintf("the plan has no task %q", a.Lease.PlanTask)
		return refused(step.CausePolicy, text, text)
	}
	a.Program, a.Task, a.Index = program, task, index
	if a.Lease.Decision != link.DecideNothing {
		return nil
	}
	if !s.accounts.charge(a.Lease.ID, needOf(task)) {
		return rejected(errNoRoom.Error())
	}
	return nil
}
