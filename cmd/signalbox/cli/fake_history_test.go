package cli_test

import (
	"context"
	"strings"
	"time"

	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func (f *fake) GetRunAt(_ context.Context, req *runv1.GetRunAtRequest) (*runv1.GetRunAtResponse, error) {
	run, tasks := f.theRun(), f.tasks()
	run.Seq = max(req.GetSeq(), 5)
	at := before(100 * time.Second)
	if req.GetAt() != nil {
		at = req.GetAt()
	}
	return &runv1.GetRunAtResponse{Run: run, Tasks: tasks, At: at, LastSeq: 9}, nil
}

func (f *fake) ListEntries(_ context.Context, req *runv1.ListEntriesRequest) (*runv1.ListEntriesResponse, error) {
	entries := []*runv1.Entry{
		{Seq: 1, At: before(150 * time.Second), Kind: "run_started", Generation: 1, Actor: "ada@example.com", Sentence: "ada@example.com started the run."},
		{
			Seq: 2, At: before(136 * time.Second), Kind: "attempt_ended", Task: "prepare", Attempt: 1, Generation: 1, Outcome: "succeeded",
			BilledMs: 12000, Sentence: "Attempt 1 of prepare succeeded on gpu-1 after 12s.",
		},
	}
	res := &runv1.ListEntriesResponse{Entries: entries[min(req.GetAfter(), 2):]}
	if req.GetPageSize() == 1 && req.GetAfter() == 0 {
		res.Entries, res.NextAfter = res.GetEntries()[:1], 1
	}
	return res, nil
}

func (f *fake) ReplayRun(context.Context, *runv1.ReplayRunRequest) (*runv1.ReplayRunResponse, error) {
	res := &runv1.ReplayRunResponse{
		Run: f.theRun(), Entries: 9, StateDigest: strings.Repeat("ab", 32), DigestVersion: 1,
		RowDigest: strings.Repeat("cd", 32), FoldedRowDigest: strings.Repeat("cd", 32),
	}
	if f.runState == "failed" {
		res.RowDigest = strings.Repeat("ef", 32)
		res.Noted = []*runv1.NotedDigest{{Seq: 9, Digest: "12", Folded: "12"}, {Seq: 9, Digest: "34"}}
		res.Differences = []*runv1.ReplayDifference{{Kind: "run", Text: "the row of " + run12 + " is not what its journal folds to: seq 9 instead of 8."}}
	}
	return res, nil
}

func (f *fake) DiffRuns(_ context.Context, req *runv1.DiffRunsRequest) (*runv1.DiffRunsResponse, error) {
	other := f.theRun()
	other.Number = 13
	res := &runv1.DiffRunsResponse{Run: f.theRun(), Other: other}
	const same = runv1.Likeness_LIKENESS_SAME
	res.Tasks = []*runv1.TaskDifference{
		{Name: "prepare", Spec: same, State: "succeeded", OtherState: "succeeded", Attempts: 1, OtherAttempts: 1, DurationMs: 12000, OtherDurationMs: 11000},
	}
	if req.GetOther() == "train#12" {
		return res, nil
	}
	other.Version = strings.Repeat("9", 64)
	res.Params = []*runv1.ParamDifference{
		{Name: "lr", Likeness: runv1.Likeness_LIKENESS_DIFFERS, Value: openValue("0.1"), Other: openValue("0.2")},
		{Name: "epochs", Likeness: same, Value: openValue("3"), Other: openValue("3")},
		{Name: "token", Likeness: runv1.Likeness_LIKENESS_NOT_COMPARABLE, Value: &runv1.Value{}, Other: &runv1.Value{}},
		{Name: "extra", Likeness: runv1.Likeness_LIKENESS_ONLY_IN_OTHER, Other: &runv1.Value{}},
	}
	res.Labels = []*runv1.LabelDifference{{Key: "team", Likeness: runv1.Likeness_LIKENESS_DIFFERS, Value: "risk", Other: "ads"}}
	res.Tasks = append(res.Tasks, &runv1.TaskDifference{
		Name: "train", Spec: runv1.Likeness_LIKENESS_DIFFERS, State: "running", OtherState: "failed", Attempts: 2, OtherAttempts: 3,
		OtherDurationMs: 4200, OtherReason: "exit code 1",
	})
	return res, nil
}

func openValue(json string) *runv1.Value {
	return &runv1.Value{Content: &runv1.Value_OpenJson{OpenJson: []byte(json)}}
}
