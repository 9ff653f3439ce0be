package cli_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// run7 is a run whose tasks came into being; run6 left some of what it uses.
var (
	run6 = fakeID(id.Run, 6)
	run7 = fakeID(id.Run, 7)
)

func (f *fake) fanRun() *runv1.Run {
	return &runv1.Run{
		Id: run7, Pipeline: "fan", Version: fmt.Sprintf("%064d", 7), Number: 7, State: "failed", Reason: "train failed", Outcome: "failed", Cause: "user", Actor: "ada@example.com",
		Generation: 1, Seq: 50, TasksTotal: 5, TasksDone: 5, TasksFailed: 1,
		CreatedAt: before(3 * time.Minute), StartedAt: before(150 * time.Second), FinishedAt: before(10 * time.Second),
	}
}

// fanTasks are what GetRun tells of it.
func (f *fake) fanTasks() []*runv1.Task {
	done := func(name, parent, kind, state, reason string) *runv1.Task {
		return &runv1.Task{Name: name, PlanTask: name, Parent: parent, Kind: kind, State: state, Reason: reason, Pool: "default"}
	}
	split := done("split", "", "step", "reused", "")
	split.OriginRunId = run6
	train := done("train", "", "map", "failed", "2 of 40 items failed")
	train.Needs = []string{"split"}
	train.Items = &runv1.Items{Total: 40, Done: 40, Succeeded: 30, Failed: 2, Reused: 8, FirstStart: before(50 * time.Second), LastEnd: before(8 * time.Second)}
	search := done("search", "", "loop", "succeeded", "")
	search.Items = &runv1.Items{Total: 3, Done: 3, Succeeded: 3, Most: 50, FirstStart: before(30 * time.Second), LastEnd: before(16 * time.Second)}
	pass := done("search[2]", "search", "step", "succeeded", "")
	pass.Attempts = []*runv1.Attempt{{
		Number: 1, State: "succeeded", AgentName: "gpu-1", GrantedAt: before(20 * time.Second), StartedAt: before(20 * time.Second), FinishedAt: before(16 * time.Second),
	}}
	pack := done("pack", "", "group", "succeeded", "")
	pack.Items = &runv1.Items{Total: 2, Done: 2, Succeeded: 2}
	up := done("pack/up", "pack", "step", "succeeded", "")
	tell := done("pack/tell", "pack", "step", "succeeded", "")
	tell.Needs = []string{"pack/up"}
	register := done("register", "", "step", "skipped", "condition_false: evaluate.auc (0.71) > 0.9")
	register.Needs = []string{"train"}
	return []*runv1.Task{split, train, search, pass, pack, up, tell, register}
}

// fanItems are the items of its map.
func (f *fake) fanItems() []*runv1.Task {
	var out []*runv1.Task
	for i := range uint32(40) {
		t := &runv1.Task{Name: fmt.Sprintf("train[%d]", i), PlanTask: "train", Parent: "train", Kind: "step", State: "succeeded", Item: &i, Pool: "default"}
		switch {
		case i == 4 || i == 7:
			t.State, t.Reason, t.UsedUser = "failed", "exit code 1", 1
			t.Attempts = []*runv1.Attempt{{
				Number: 1, State: "failed", Cause: "user", ExitCode: 1, Reason: "exit code 1", AgentName: "gpu-1",
				GrantedAt: before(80 * time.Second), StartedAt: before(79 * time.Second), FinishedAt: before(70 * time.Second), BilledMs: 9000,
			}}
		case i < 10:
			t.State, t.OriginRunId = "reused", run6
		}
		out = append(out, t)
	}
	return out
}

func (f *fake) tasksOf(run string) (*runv1.Run, []*runv1.Task, error) {
	switch run {
	case run7, "fan#7":
		return f.fanRun(), slices.Insert(f.fanTasks(), 2, f.fanItems()...), nil
	case run12, "@latest", "@failed", "train#12":
		return f.theRun(), f.tasks(), nil
	}
	return nil, nil, missing("run", run)
}

func (f *fake) ListTasks(_ context.Context, req *runv1.ListTasksRequest) (*runv1.ListTasksResponse, error) {
	run, all, err := f.tasksOf(req.GetRunId())
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t *runv1.Task) bool {
		return req.GetTask() != "" && (t.GetPlanTask() != req.GetTask() || t.GetKind() == "map") ||
			req.GetParent() != "" && t.GetParent() != req.GetParent() ||
			len(req.GetStates()) > 0 && !slices.Contains(req.GetStates(), t.GetState())
	})
	res := &runv1.ListTasksResponse{Run: run, Tasks: all, Matching: uint32(len(all))}
	if n := int(req.GetPageSize()); n < len(all) {
		res.Tasks, res.NextPageToken = all[:n], "next"
	}
	return res, nil
}

func (f *fake) GetTask(_ context.Context, req *runv1.GetTaskRequest) (*runv1.GetTaskResponse, error) {
	run, all, err := f.tasksOf(req.GetRunId())
	if err != nil {
		return nil, err
	}
	if req.GetTask() == "sign-off" {
		return &runv1.GetTaskResponse{Run: run, Task: &runv1.Task{Name: "sign-off", State: "held", Hold: &runv1.Hold{Kind: "approval"}}}, nil
	}
	for _, t := range all {
		if t.GetName() == req.GetTask() {
			return &runv1.GetTaskResponse{Run: run, Task: t}, nil
		}
	}
	return nil, missing("task", req.GetTask())
}

func (f *fake) RestartRun(_ context.Context, req *runv1.RestartRunRequest) (*runv1.RestartRunResponse, error) {
	res := &runv1.RestartRunResponse{Tasks: []*runv1.KeptTask{
		{Task: "split", Reused: true},
		{Task: "train", Items: 38, Reason: "its items are looked at again"},
		{Task: "search", Reason: "spec changed"},
		{Task: "register", Reason: "downstream of train"},
	}}
	if !req.GetDryRun() {
		res.Run, res.Created = f.fanRun(), true
		res.Run.Id, res.Run.Number, res.Run.State = fakeID(id.Run, 8), 8, "running"
	}
	return res, nil
}

func (f *fake) TestTask(_ context.Context, req *runv1.TestTaskRequest) (*runv1.TestTaskResponse, error) {
	if req.GetTask() != "train" {
		return nil, missing("task", req.GetTask())
	}
	return &runv1.TestTaskResponse{Run: f.theRun(), Created: true}, nil
}
