package local

import (
	"context"
	"errors"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/param"
	"github.com/signalboxhq/signalbox/controlplane/runapi"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/controlplane/upstream"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
	"github.com/signalboxhq/signalbox/proto/id"
)

// runService implements what of RunService one run needs.
type runService struct {
	runv1connect.UnimplementedRunServiceHandler
	*Plane
}

// find is the run of an id. The lock is held.
func (p *Plane) find(text string) (*run, error) {
	u, err := id.Parse(id.Run, text)
	if err != nil || p.runs[u] == nil {
		return nil, fault.NotFound("run", text)
	}
	return p.runs[u], nil
}

// view is a run as people see it. The lock is held.
func (p *Plane) view(r *run) (*runv1.Run, []*runv1.Task, error) {
	var leases []rundb.Lease
	for _, l := range p.leases {
		if l.run == r {
			held := rundb.Lease{Task: l.task, Attempt: l.attempt, AgentID: l.agent, ReadyAt: l.ready, GrantedAt: l.granted, Phase: l.phase}
			if !l.started.IsZero() {
				held.StartedAt = &l.started
			}
			if l.order != nil {
				held.Stop = "stop"
			}
			leases = append(leases, held)
		}
	}
	v := r.view.View(rundb.Run{
		ID: r.id, Pipeline: r.pipeline, Digest: r.version.digest[:], Number: r.number, Cause: "user", Actor: r.actor,
		Labels: r.labels, Priority: r.priority, CreatedAt: r.created,
	}, leases, map[id.UUID]string{p.agent.id: p.agent.name}, p.now())
	for i := range v.Tasks {
		t := &v.Tasks[i]
		if task, ok := r.version.graph.Find(r.state, t.Name); ok && t.State == engine.DisplayReady {
			t.Reason = p.missing(r, task)
		}
	}
	return runapi.Messages(&v)
}

// StartRun starts the run.
func (s runService) StartRun(_ context.Context, req *runv1.StartRunRequest) (*runv1.StartRunResponse, error) {
	out := &runv1.StartRunResponse{Created: true}
	err := s.act(func() error {
		if s.versions[req.GetPipeline()] == nil {
			return fault.NotFound("pipeline", req.GetPipeline())
		}
		r, err := s.start(req.GetPipeline(), req.GetParams(), req.GetLabels(), req.GetPriority(), nil)
		if err != nil {
			return err
		}
		out.Run, _, err = s.view(r)
		return err
	})
	return out, err
}

// GetRun returns a run as it stands.
func (s runService) GetRun(_ context.Context, req *runv1.GetRunRequest) (*runv1.GetRunResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	run, tasks, err := s.view(r)
	return &runv1.GetRunResponse{Run: run, Tasks: tasks}, err
}

// ListRuns returns the run and those that it nests, as they were started.
func (s runService) ListRuns(context.Context, *runv1.ListRunsRequest) (*runv1.ListRunsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &runv1.ListRunsResponse{}
	for _, r := range s.order {
		run, _, err := s.view(r)
		if err != nil {
			return nil, err
		}
		out.Runs = append(out.Runs, run)
	}
	return out, nil
}

// watchEvery bounds how often a run is sent that changes all the time.
const watchEvery = 50 * time.Millisecond

// WatchRun sends the run whole, then again at every change, until it ends.
func (s runService) WatchRun(ctx context.Context, req *runv1.WatchRunRequest, stream *connect.ServerStream[runv1.WatchRunResponse]) error {
	pause := time.NewTimer(0)
	defer pause.Stop()
	var last *runv1.WatchRunResponse
	for {
		next, changed, err := s.look(req.GetId())
		if err != nil {
			return err
		}
		if !proto.Equal(last, next) {
			if err := stream.Send(next); err != nil {
				return err
			}
			last = next
		}
		switch state, err := engine.ParseRunState(next.GetRun().GetState()); {
		case err != nil:
			return err
		case state.Terminal():
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
		pause.Reset(watchEvery)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// look is a run as it stands, and what is closed at the next change.
func (s runService) look(ref string) (*runv1.WatchRunResponse, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(ref)
	if err == nil && s.broken != nil && !r.state.Run.Terminal() {
		// Not "unavailable": nobody should try again.
		err = fault.FailedPrecondition("UNAVAILABLE", "the local run cannot go on: %s", s.broken)
	}
	if err != nil {
		return nil, nil, err
	}
	run, tasks, err := s.view(r)
	return &runv1.WatchRunResponse{Run: run, Tasks: tasks}, s.changed, err
}

// change runs a command about a run and answers with what became of it.
func (p *Plane) change(ref string, command func(r *run) (engine.Command, []byte, error)) (*runv1.Run, error) {
	var out *runv1.Run
	err := p.act(func() error {
		r, err := p.find(ref)
		if err != nil {
			return err
		}
		c, body, err := command(r)
		if err != nil {
			return err
		}
		if err := p.decide(r, c, body); err != nil {
			return refusal(err)
		}
		p.settle()
		out, _, err = p.view(r)
		return err
	})
	return out, err
}

// refusal gives a rule's refusal to people.
func refusal(err error) error {
	if r, ok := errors.AsType[*engine.Refusal](err); ok {
		return fault.FailedPrecondition(fault.Reason(r.Reason), "%s", r.Text).Because(err)
	}
	return err
}

// CancelRun asks steps to stop and lets exit handlers run; force skips them.
func (s runService) CancelRun(_ context.Context, req *runv1.CancelRunRequest) (*runv1.CancelRunResponse, error) {
	out, err := s.change(req.GetId(), func(r *run) (engine.Command, []byte, error) {
		return engine.Cancel{Now: s.now(), Actor: r.actor, Force: req.GetForce(), Live: s.live(r)}, nil, nil
	})
	return &runv1.CancelRunResponse{Run: out}, err
}

// SignalRun sends a run a signal.
func (s runService) SignalRun(_ context.Context, req *runv1.SignalRunRequest) (*runv1.SignalRunResponse, error) {
	out, err := s.change(req.GetId(), func(r *run) (engine.Command, []byte, error) {
		body := &runv1.Body{Signal: req.GetName()}
		if req.GetPayload() != nil {
			body.Outputs = []*runv1.Value{req.GetPayload()}
		}
		encoded, err := proto.Marshal(body)
		return engine.Signal{Now: s.now(), Actor: r.actor, Name: req.GetName(), Key: req.GetKey(), Live: s.liveIfStops(r)}, encoded, err
	})
	return &runv1.SignalRunResponse{Run: out}, err
}

// GetRunValues answers with the params of a run and the outputs of its tasks.
func (s runService) GetRunValues(_ context.Context, req *runv1.GetRunValuesRequest) (*runv1.GetRunValuesResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(req.GetId())
	if err != nil {
		return nil, err
	}
	out := &runv1.GetRunValuesResponse{}
	given, err := upstream.Params(r.params)
	if err != nil {
		return nil, err
	}
	if out.Params, err = param.WithDefaults(r.version.graph.Plan.Params, given); err != nil {
		return nil, err
	}
	for _, i := range upstream.Asking(r.version.graph, r.state) {
		if v, err := r.message(i); err != nil {
			return nil, err
		} else if v != nil {
			out.Tasks = append(out.Tasks, &runv1.TaskValues{Task: r.version.graph.Path(r.state, i), Message: v})
		}
	}
	for i := range r.state.Tasks {
		t := &r.state.Tasks[i]
		b, ok := r.bodies[t.EndSeq]
		if !ok || !t.State.Terminal() {
			continue
		}
		var body runv1.Body
		if err := proto.Unmarshal(b.Bytes, &body); err != nil {
			return nil, err
		}
		if len(body.GetOutputs())+len(body.GetArtifacts()) > 0 {
			out.Tasks = append(out.Tasks, &runv1.TaskValues{
				Task: r.version.graph.Path(r.state, int32(i)), Attempt: uint32(max(0, t.Attempt)),
				Outputs: body.GetOutputs(), Artifacts: body.GetArtifacts(), Signal: body.GetSignal(),
			})
		}
	}
	return out, nil
}

// approvalService implements the vote.
type approvalService struct {
	runv1connect.UnimplementedApprovalServiceHandler
	*Plane
}

// DecideApproval casts the local user's vote. Four eyes cannot be had here: the
// one person who is there asked for the run. As many approvals as a task requires
// are given as one.
func (s approvalService) DecideApproval(_ context.Context, req *runv1.DecideApprovalRequest) (*runv1.DecideApprovalResponse, error) {
	var out *runv1.Run
	err := s.act(func() error {
		r, err := s.find(req.GetRunId())
		if err != nil {
			return err
		}
		task, ok := r.version.graph.Find(r.state, req.GetTask())
		if !ok || r.version.graph.Task(r.state, task).Approve == nil {
			return fault.NotFound("approval", req.GetTask())
		}
		for n := range max(1, r.version.graph.Task(r.state, task).Approve.Required) {
			vote := engine.Vote{Now: s.now(), Task: task, Actor: voter(r.actor, n), Reject: req.GetReject(), Comment: req.GetComment(), Live: s.live(r)}
			if err := s.decide(r, vote, nil); err != nil {
				return refusal(err)
			}
			if req.GetReject() {
				break
			}
		}
		s.settle()
		out, _, err = s.view(r)
		return err
	})
	return &runv1.DecideApprovalResponse{Run: out}, err
}

// voter is the local user as the n-th of those who must approve.
func voter(actor string, n int) string {
	if n == 0 {
		return actor
	}
	return actor + "+" + strconv.Itoa(n)
}
