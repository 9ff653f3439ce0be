package runapi

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/actor"
	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

func runMessage(r *rundb.Run) *runv1.Run {
	m := &runv1.Run{
		Id: id.Format(id.Run, r.ID), Pipeline: r.Pipeline, Version: hex.EncodeToString(r.Digest), Number: r.Number,
		State: r.State, Reason: r.Reason, Outcome: r.Outcome, Cause: r.Cause, Actor: r.Actor,
		Labels: r.Labels, Priority: r.Priority, Generation: r.Generation, Seq: r.Seq,
		CreatedAt: timestamppb.New(r.CreatedAt), StartedAt: stampOf(r.StartedAt), FinishedAt: stampOf(r.FinishedAt),
		TasksTotal: uint32(r.TasksTotal), TasksDone: uint32(r.TasksDone), TasksFailed: uint32(r.TasksFailed),
		ExitHandlerFailed: r.ExitsFailed > 0, Waiting: waitingMessage(r.Waiting),
	}
	if f := r.Fire; f != nil {
		m.Nominal, m.IntervalStart, m.IntervalEnd = timestamppb.New(f.Nominal), timestamppb.New(f.IntervalStart), timestamppb.New(f.IntervalEnd)
	}
	if p := r.Parent; p != nil {
		m.Parent = &runv1.Parent{
			RunId: id.Format(id.Run, p.Run), Pipeline: p.Pipeline, Number: p.Number, Task: p.Task,
			RootRunId: id.Format(id.Run, p.Root), Depth: uint32(p.Depth),
		}
	}
	return m
}

// freshMessage is a run that was just started, without reading it back; nil where
// more than its start is needed to tell how it stands.
func freshMessage(by caller.Caller, req *runv1.StartRunRequest, started *advance.Started) *runv1.Run {
	s := started.Standing
	if s == nil || s.Reason != "" {
		return nil
	}
	run := rundb.Run{
		ID: started.Run, Pipeline: req.GetPipeline(), Digest: s.Digest[:], Number: s.Number, State: s.State, Outcome: s.Outcome,
		Cause: actor.Cause(by), Actor: cmp.Or(by.Name, by.Email), Labels: s.Labels, Priority: s.Priority, Generation: s.Generation,
		Seq: s.Seq, CreatedAt: s.CreatedAt, StartedAt: timeOrNil(s.StartedAt), FinishedAt: timeOrNil(s.FinishedAt),
		TasksTotal: s.TasksTotal, TasksDone: s.TasksDone, TasksFailed: s.TasksFailed,
	}
	if !by.Person() {
		run.Actor = by.KeyName
	}
	return runMessage(&run)
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func viewMessages(v *rundb.View) (*runv1.Run, []*runv1.Task, error) {
	tasks, err := taskMessages(v.Tasks)
	if err != nil {
		return nil, nil, err
	}
	return runMessage(&v.Run), tasks, nil
}

func taskMessages(list []rundb.Task) ([]*runv1.Task, error) {
	out := make([]*runv1.Task, len(list))
	for i := range list {
		var err error
		if out[i], err = taskMessage(&list[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func taskMessage(t *rundb.Task) (*runv1.Task, error) {
	m := &runv1.Task{
		Name: t.Name, State: t.State, Reason: t.Reason, Needs: t.Needs, Pool: t.Pool, Exit: t.Exit, Rule: t.Rule,
		RetryAt: stamp(t.RetryAt), UsedUser: uint32(t.UsedUser), UsedInfra: uint32(t.UsedInfra), UsedPreempt: uint32(t.UsedPreempt),
	}
	m.Hold, m.Items = holdMessage(t.Hold), itemsMessage(t.Items)
	m.Parent, m.PlanTask, m.Kind = t.Parent, t.Plan, t.Kind
	if t.Item >= 0 {
		m.Item = new(uint32(t.Item))
	}
	if t.Origin != id.Nil {
		m.OriginRunId = id.Format(id.Run, t.Origin)
	}
	if c := t.Child; c != nil {
		m.ChildRun = &runv1.ChildRun{RunId: id.Format(id.Run, c.ID), Pipeline: c.Pipeline, Number: c.Number, State: c.State}
	}
	for i := range t.Attempts {
		a, err := attemptMessage(&t.Attempts[i])
		if err != nil {
			return nil, fmt.Errorf("task %s: %w", t.Name, err)
		}
		m.Attempts = append(m.Attempts, a)
	}
	return m, nil
}

func itemsMessage(n *rundb.Items) *runv1.Items {
	if n == nil {
		return nil
	}
	return &runv1.Items{
		Total: uint32(n.Total), Waiting: uint32(n.Waiting), Running: uint32(n.Running), Done: uint32(n.Done),
		Succeeded: uint32(n.Succeeded), Failed: uint32(n.Failed), Tolerated: uint32(n.Tolerated), Reused: uint32(n.Reused),
		Skipped: uint32(n.Skipped), Canceled: uint32(n.Canceled), Most: uint32(n.Most),
		FirstStart: stamp(n.FirstStart), LastEnd: stamp(n.LastEnd),
	}
}

func attemptMessage(a *rundb.Attempt) (*runv1.Attempt, error) {
	m := &runv1.Attempt{
		Number: uint32(a.Number), State: a.State, Cause: a.Cause, Reason: a.Reason, ExitCode: a.ExitCode, AgentName: a.AgentName,
		ReadyAt: stamp(a.ReadyAt), GrantedAt: stamp(a.GrantedAt), StartedAt: stamp(a.StartedAt), FinishedAt: stamp(a.FinishedAt),
		BilledMs: a.BilledMS, Generation: a.Generation,
	}
	if a.Agent != id.Nil {
		m.AgentId = id.Format(id.Agent, a.Agent)
	}
	if a.Body != nil {
		var body runv1.Body
		if err := proto.Unmarshal(a.Body, &body); err != nil {
			return nil, fmt.Errorf("decode what attempt %d left: %w", a.Number, err)
		}
		m.SealedError = body.GetSealedError()
	}
	return m, nil
}

// stamp is a time of the wire, nil where there is none.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func stampOf(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return stamp(*t)
}
