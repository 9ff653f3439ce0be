package runapi

import (
	"context"

	"github.com/signalboxhq/signalbox/controlplane/rundb"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// ListTasks returns a page of a run's tasks.
func (h *Handler) ListTasks(ctx context.Context, req *runv1.ListTasksRequest) (*runv1.ListTasksResponse, error) {
	ref, err := rundb.ParseRef(req.GetRunId())
	if err != nil {
		return nil, err
	}
	page, err := h.store.ListTasks(ctx, caller.From(ctx), ref, rundb.TaskFilter{
		Parent: req.GetParent(), Task: req.GetTask(), States: req.GetStates(),
		PageSize: int(min(req.GetPageSize(), 1000)), PageToken: req.GetPageToken(),
	})
	if err != nil {
		return nil, err
	}
	tasks, err := taskMessages(page.Tasks)
	if err != nil {
		return nil, err
	}
	return &runv1.ListTasksResponse{Tasks: tasks, NextPageToken: page.Next, Matching: uint32(page.Matching), Run: runMessage(&page.Run)}, nil
}

// GetTask returns a task by its path.
func (h *Handler) GetTask(ctx context.Context, req *runv1.GetTaskRequest) (*runv1.GetTaskResponse, error) {
	ref, err := rundb.ParseRef(req.GetRunId())
	if err != nil {
		return nil, err
	}
	run, task, err := h.store.GetTask(ctx, caller.From(ctx), ref, req.GetTask())
	if err != nil {
		return nil, err
	}
	m, err := taskMessage(&task)
	if err != nil {
		return nil, err
	}
	return &runv1.GetTaskResponse{Task: m, Run: runMessage(&run)}, nil
}
