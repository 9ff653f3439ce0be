package runapi

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/rundb"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1/runv1connect"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// History serves signalbox.run.v1.HistoryService.
type History struct {
	store *rundb.Store
}

var _ runv1connect.HistoryServiceHandler = (*History)(nil)

// History is the service that reads the journals of the runs.
func (h *Handler) History() *History { return &History{store: h.store} }

// GetRunAt returns a run as it stood.
func (h *History) GetRunAt(ctx context.Context, req *runv1.GetRunAtRequest) (*runv1.GetRunAtResponse, error) {
	ref, err := rundb.ParseRef(req.GetId())
	if err != nil {
		return nil, err
	}
	var m rundb.Moment
	switch at := req.GetMoment().(type) {
	case *runv1.GetRunAtRequest_Seq:
		m.Seq = &at.Seq
	case *runv1.GetRunAtRequest_At:
		t := at.At.AsTime()
		m.At = &t
	}
	past, err := h.store.ViewAt(ctx, caller.From(ctx), ref, m)
	if err != nil {
		return nil, err
	}
	run, tasks, err := viewMessages(&past.View)
	if err != nil {
		return nil, err
	}
	return &runv1.GetRunAtResponse{Run: run, Tasks: tasks, At: timestamppb.New(past.At), LastSeq: past.LastSeq}, nil
}

// ListEntries returns a page of what happened to a run.
func (h *History) ListEntries(ctx context.Context, req *runv1.ListEntriesRequest) (*runv1.ListEntriesResponse, error) {
	ref, err := rundb.ParseRef(req.GetId())
	if err != nil {
		return nil, err
	}
	entries, next, err := h.store.Entries(ctx, caller.From(ctx), ref, req.GetAfter(), int(min(req.GetPageSize(), rundb.MaxEntries)))
	if err != nil {
		return nil, err
	}
	res := &runv1.ListEntriesResponse{NextAfter: next}
	for i := range entries {
		res.Entries = append(res.Entries, entryMessage(&entries[i]))
	}
	return res, nil
}

func entryMessage(e *rundb.Entry) *runv1.Entry {
	m := &runv1.Entry{
		Seq: e.Seq, At: stamp(e.At), Kind: e.Kind.String(), Task: e.Path, Generation: e.Generation,
		Outcome: e.Outcome.String(), Cause: e.Cause.String(), Reason: e.Reason, Actor: e.ActorName, AgentName: e.AgentName, ExitCode: e.ExitCode,
		GrantedAt: stamp(e.Granted), StartedAt: stamp(e.Started), FinishedAt: stamp(e.Finished), RetryAt: stamp(e.RetryAt),
		BilledMs: e.BilledMS, Sentence: e.Sentence,
	}
	if e.Attempt > 0 { // decisions count the other way
		m.Attempt = uint32(e.Attempt)
	}
	if e.Next != engine.TaskPending {
		m.Next = e.Next.String()
	}
	return m
}

// ReplayRun folds a run again and compares.
func (h *History) ReplayRun(ctx context.Context, req *runv1.ReplayRunRequest) (*runv1.ReplayRunResponse, error) {
	ref, err := rundb.ParseRef(req.GetId())
	if err != nil {
		return nil, err
	}
	r, err := h.store.Replay(ctx, caller.From(ctx), ref)
	if err != nil {
		return nil, err
	}
	res := &runv1.ReplayRunResponse{
		Run: runMessage(&r.Run), Entries: int64(r.Entries), DigestVersion: engine.DigestVersion,
		RowDigest: r.Row, FoldedRowDigest: r.FoldedRow,
	}
	if r.FoldedRow != "" {
		res.StateDigest = r.State.String()
	}
	for _, n := range r.Noted {
		m := &runv1.NotedDigest{Seq: n.Seq, Digest: n.Digest.String()}
		if n.Version == engine.DigestVersion {
			m.Folded = n.Folded.String()
		}
		res.Noted = append(res.Noted, m)
	}
	for _, d := range r.Differences {
		res.Differences = append(res.Differences, &runv1.ReplayDifference{Kind: string(d.Kind), Text: d.Text})
	}
	return res, nil
}

// DiffRuns compares two runs.
func (h *History) DiffRuns(ctx context.Context, req *runv1.DiffRunsRequest) (*runv1.DiffRunsResponse, error) {
	ref, err := rundb.ParseRef(req.GetId())
	if err != nil {
		return nil, err
	}
	by := caller.From(ctx)
	one, two, err := h.store.Pair(ctx, by, ref, req.GetOther())
	if err != nil {
		return nil, err
	}
	res, err := diff(&one, &two, mayReadData(by))
	if err != nil {
		return nil, fmt.Errorf("compare runs: %w", err)
	}
	return res, nil
}
