package cli

import (
	"context"

	"golang.org/x/sync/errgroup"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

// followAll prints the logs of all attempts, those of the past first and each
// new one as it starts, until the run ends. Every attempt is a stream of its
// own; lines of tasks that run at the same time come as they come.
func (l *logs) followAll(ctx context.Context, only string) error {
	readers, ctx := errgroup.WithContext(ctx)
	slots := make(chan struct{}, maxStreams)
	seen := map[string]uint32{}
	readers.Go(func() error {
		_, err := l.watch(l.api, l.runID).Each(ctx, func(res *runv1.WatchRunResponse) error {
			tasks, err := l.tasksNow(ctx, res.GetTasks(), only)
			if err != nil {
				return err
			}
			for _, t := range tasks {
				if only != "" && t.GetName() != only {
					continue
				}
				for _, x := range t.GetAttempts() {
					if x.GetNumber() <= seen[t.GetName()] || !started(x) {
						continue
					}
					seen[t.GetName()] = x.GetNumber()
					readers.Go(func() error {
						select {
						case slots <- struct{}{}:
							defer func() { <-slots }()
							return l.readOrSay(ctx, t.GetName(), x.GetNumber())
						case <-ctx.Done():
							return ctx.Err()
						}
					})
				}
			}
			return nil
		})
		return err
	})
	return readers.Wait()
}

// tasksNow are the tasks that there are at this moment. A run's own answer has no
// items of maps.
func (l *logs) tasksNow(ctx context.Context, shown []*runv1.Task, only string) ([]*runv1.Task, error) {
	for _, t := range shown {
		if t.GetName() == only {
			return shown, nil
		}
	}
	if only != "" {
		one, err := l.api.Run.GetTask(ctx, &runv1.GetTaskRequest{RunId: l.runID, Task: only})
		return []*runv1.Task{one.GetTask()}, err
	}
	if l.parent != "" {
		list, _, err := listTasks(ctx, l.api, &runv1.ListTasksRequest{RunId: l.runID, Parent: l.parent}, 0)
		return list, err
	}
	return expand(ctx, l.api, l.runID, shown)
}

// maxStreams bounds the streams that are open at once: an organization has only
// so many, and other people read too.
const maxStreams = 8

// started reports whether an attempt has, or may have, a log.
func started(x *runv1.Attempt) bool {
	return x.GetStartedAt() != nil || x.GetFinishedAt() != nil || x.GetState() == "running" || x.GetState() == "starting"
}
