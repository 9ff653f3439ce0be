package cli_test

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"connectrpc.com/connect"

	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// run12 is the run of the world.
var run12 = fakeID(id.Run, 12)

func (f *fake) theRun() *runv1.Run {
	_, digest := fakePlan()
	r := &runv1.Run{
		Id: run12, Pipeline: "train", Version: digest, Number: 12, State: f.runState, Cause: "user", Actor: "ada@example.com",
		Labels: map[string]string{"team": "risk"}, Generation: 1, Seq: 9, TasksTotal: 4, TasksDone: 1,
		CreatedAt: before(3 * time.Minute), StartedAt: before(150 * time.Second),
	}
	if f.runState != "running" {
		r.Outcome, r.TasksDone, r.FinishedAt = f.runState, 4, before(10*time.Second)
	}
	if f.runState == "failed" {
		r.TasksFailed, r.Reason = 1, "train failed"
	}
	return r
}

func (f *fake) tasks() []*runv1.Task {
	prepare := &runv1.Task{
		Name: "prepare", State: "succeeded", Pool: "default",
		Attempts: []*runv1.Attempt{{
			Number: 1, State: "succeeded", AgentName: "gpu-1", AgentId: fakeID(id.Agent, 1),
			GrantedAt: before(149 * time.Second), StartedAt: before(148 * time.Second), FinishedAt: before(136 * time.Second), BilledMs: 12000,
		}},
	}
	train := &runv1.Task{
		Name: "train", State: "running", Pool: "default", Needs: []string{"prepare"}, UsedUser: 1,
		Attempts: []*runv1.Attempt{
			{
				Number: 1, State: "failed", Cause: "user", ExitCode: 1, AgentName: "gpu-1",
				GrantedAt: before(135 * time.Second), StartedAt: before(134 * time.Second), FinishedAt: before(100 * time.Second), BilledMs: 34000,
			},
			{Number: 2, State: "running", AgentName: "gpu-1", GrantedAt: before(80 * time.Second), StartedAt: before(79 * time.Second)},
		},
	}
	evaluate := &runv1.Task{Name: "evaluate", State: "pending", Pool: "default", Needs: []string{"prepare", "train"}}
	page := &runv1.Task{Name: "page", State: "pending", Pool: "default", Exit: "failed"}
	if f.runState != "running" {
		last := train.GetAttempts()[1]
		train.State, last.State, last.FinishedAt, last.BilledMs = "succeeded", "succeeded", before(20*time.Second), 59000
		evaluate.State, page.State = "succeeded", "skipped"
	}
	if f.runState == "failed" {
		last := train.GetAttempts()[1]
		train.State, last.State, last.Cause, last.Reason = "failed", "lost", "infra", "the agent was not heard of for 30s"
		evaluate.State, page.State = "upstream_failed", "succeeded"
	}
	return []*runv1.Task{prepare, train, evaluate, page}
}

func (f *fake) StartRun(_ context.Context, req *runv1.StartRunRequest) (*runv1.StartRunResponse, error) {
	if req.GetPipeline() != "train" {
		return nil, missing("pipeline", req.GetPipeline())
	}
	return &runv1.StartRunResponse{Run: f.theRun(), Created: req.GetIdempotencyKey() != "again"}, nil
}

func (f *fake) GetRun(_ context.Context, req *runv1.GetRunRequest) (*runv1.GetRunResponse, error) {
	switch req.GetId() {
	case run12, "@latest", "@failed", "train#12":
		return &runv1.GetRunResponse{Run: f.theRun(), Tasks: f.tasks()}, nil
	case run7, "fan#7":
		return &runv1.GetRunResponse{Run: f.fanRun(), Tasks: f.fanTasks()}, nil
	}
	return nil, missing("run", req.GetId())
}

func (f *fake) ListRuns(context.Context, *runv1.ListRunsRequest) (*runv1.ListRunsResponse, error) {
	old := &runv1.Run{
		Id: fakeID(id.Run, 11), Pipeline: "train", Number: 11, State: "failed", Actor: "schedule", TasksTotal: 4, TasksDone: 4, TasksFailed: 1,
		CreatedAt: before(26 * time.Hour), StartedAt: before(26 * time.Hour), FinishedAt: before(25 * time.Hour), Reason: "train failed",
	}
	return &runv1.ListRunsResponse{Runs: []*runv1.Run{f.theRun(), old}, NextPageToken: "next"}, nil
}

func (f *fake) WatchRun(_ context.Context, req *runv1.WatchRunRequest, stream *connect.ServerStream[runv1.WatchRunResponse]) error {
	if req.GetId() == run7 {
		return stream.Send(&runv1.WatchRunResponse{Run: f.fanRun(), Tasks: f.fanTasks()})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.onWatch != nil {
		calls := 0
		for _, c := range f.calls {
			if c.name == "WatchRun" {
				calls++
			}
		}
		f.onWatch(calls)
	}
	if f.watch == nil {
		return stream.Send(&runv1.WatchRunResponse{Run: f.theRun(), Tasks: f.tasks()})
	}
	for f.watched < len(f.watch) {
		next := f.watch[f.watched]
		f.watched++
		if next == nil {
			return connect.NewError(connect.CodeUnavailable, errors.New("the server restarts"))
		}
		if err := stream.Send(next); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) CancelRun(context.Context, *runv1.CancelRunRequest) (*runv1.CancelRunResponse, error) {
	r := f.theRun()
	r.State = "canceling"
	return &runv1.CancelRunResponse{Run: r}, nil
}

func (f *fake) RetryRun(context.Context, *runv1.RetryRunRequest) (*runv1.RetryRunResponse, error) {
	r := f.theRun()
	r.Generation = 2
	return &runv1.RetryRunResponse{Run: r}, nil
}

// envelope seals a value to the workspace's key, as an agent would.
func (f *fake) envelope(name, value string) []byte {
	org, _ := id.Parse(id.Org, fakeID(id.Org, 1))
	ws, _ := id.Parse(id.Workspace, fakeID(id.Workspace, 1))
	sender := seal.NewSender(f.key.Public(), func() time.Time { return noon }, rand.Reader)
	out, err := sender.Seal(seal.Binding{Org: org, Workspace: ws, Name: name}, []byte(value))
	if err != nil {
		panic(err)
	}
	return out
}

func (f *fake) GetRunValues(_ context.Context, req *runv1.GetRunValuesRequest) (*runv1.GetRunValuesResponse, error) {
	if req.GetTask() == "sign-off" {
		return &runv1.GetRunValuesResponse{Tasks: []*runv1.TaskValues{{Task: "sign-off", Message: f.message()}}}, nil
	}
	if task := req.GetTask(); task != "" && task != "train" {
		return nil, missing("task", task)
	}
	return &runv1.GetRunValuesResponse{
		Params: []*runv1.Value{
			{Name: "epochs", Type: "int", Content: &runv1.Value_OpenJson{OpenJson: []byte("20")}, Size: 2},
			{Name: "lr", Type: "float", Content: &runv1.Value_Sealed{Sealed: f.envelope(seal.ParamName("lr"), "0.001")}, Size: 32},
		},
		Tasks: []*runv1.TaskValues{{
			Task: "train", Attempt: 2,
			Outputs: []*runv1.Value{
				{Name: "best", Type: "uri", Content: &runv1.Value_Sealed{Sealed: f.envelope(seal.OutputName("train", "best"), `"s3://lake/best"`)}, Size: 32},
			},
			Artifacts: []*runv1.Artifact{
				{Name: "weights", Type: "model", SealedUri: f.envelope(seal.OutputName("train", "weights"), `"file:///data/weights.pt"`), Digest: "d1", Size: 5 << 20},
			},
		}},
	}, nil
}

// OpenDataStream plays the agent: it seals what it has to the reader's key.
func (f *fake) OpenDataStream(_ context.Context, req *relayv1.OpenDataStreamRequest, stream *connect.ServerStream[relayv1.OpenDataStreamResponse]) error {
	org, _ := id.Parse(id.Org, fakeID(id.Org, 1))
	run, err := id.Parse(id.Run, req.GetRunId())
	if err != nil {
		return missing("run", req.GetRunId())
	}
	what, payloads := seal.ValuesOfRun, []string{f.values}
	if req.GetKind() == relayv1.DataKind_DATA_KIND_LOGS {
		what, payloads = seal.LogsOf(req.GetTask(), req.GetAttempt()), f.logs[req.GetTask()]
		if payloads == nil {
			return refusal(connect.CodeNotFound, faultv1.Reason_REASON_DATA_GONE, "the log was swept")
		}
	}
	sealer, err := seal.NewStreamSealer(req.GetPublicKey(), seal.Stream{Org: org, Run: run, What: what})
	if err != nil {
		return err
	}
	opened := &relayv1.Opened{StreamId: fakeID(id.Stream, 1), AgentName: "gpu-1"}
	if err := stream.Send(&relayv1.OpenDataStreamResponse{Event: &relayv1.OpenDataStreamResponse_Opened{Opened: opened}}); err != nil {
		return err
	}
	for i, p := range payloads {
		last := i == len(payloads)-1
		if p == cut {
			f.mu.Lock()
			f.logs[req.GetTask()] = payloads[i+1:] // what a reader gets that comes again
			f.mu.Unlock()
			return connect.NewError(connect.CodeUnavailable, errors.New("the agent is gone"))
		}
		frame, err := sealer.Seal([]byte(p), last)
		if err != nil {
			return err
		}
		if err := stream.Send(&relayv1.OpenDataStreamResponse{Event: &relayv1.OpenDataStreamResponse_Frame{
			Frame: &relayv1.Frame{Seq: uint64(i), Ciphertext: frame, Last: last},
		}}); err != nil {
			return err
		}
	}
	return nil
}

// cut among a log's payloads is where the stream breaks.
const cut = "\x00cut"
