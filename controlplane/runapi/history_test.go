package runapi_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/authz"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// picture is a run as it was seen at a moment.
type picture struct {
	at   time.Time
	seq  int64
	text string
}

// see takes a picture of a run as it stands.
func (b *bundle) see(run string) picture {
	b.t.Helper()
	res, err := b.h.GetRun(b.ctx(), &runv1.GetRunRequest{Id: run})
	require.NoError(b.t, err)
	// Entries are of whole milliseconds: the next one must be of another.
	at := queryOne[time.Time](b, `SELECT clock_timestamp()`, nil)
	b.exec(`SELECT pg_sleep(0.002)`, nil)
	return picture{at, res.GetRun().GetSeq(), describe(res.GetRun(), res.GetTasks())}
}

// describe is what must be the same of a run whenever that moment is looked at.
func describe(r *runv1.Run, tasks []*runv1.Task) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %q %q %d: %d of %d, %d failed, seq %d", r.GetState(), r.GetOutcome(), r.GetReason(), r.GetGeneration(),
		r.GetTasksDone(), r.GetTasksTotal(), r.GetTasksFailed(), r.GetSeq())
	for _, t := range tasks {
		fmt.Fprintf(&out, "\n%s %s %q", t.GetName(), t.GetState(), t.GetReason())
		for _, a := range t.GetAttempts() {
			state := a.GetState()
			if a.GetFinishedAt() == nil {
				state = "held" // how far it was is told by heartbeats
			}
			fmt.Fprintf(&out, " #%d %s %s", a.GetNumber(), state, a.GetAgentName())
		}
	}
	return out.String()
}

// life brings a run through retries, a cancel and a second generation, and
// returns what was seen on the way.
func (b *bundle) life() (string, []picture) {
	b.t.Helper()
	b.deploy(&plan.Plan{Name: "life", Deadline: 3_600_000, Tasks: []plan.Task{
		{Name: "load"},
		{Name: "train", Needs: []int{0}, Retry: plan.Retry{User: 1, Steps: []plan.Millis{3_600_000}, Jitter: plan.JitterNone}},
		{Name: "score", Needs: []int{1}},
		{Name: "tidy", Exit: plan.ExitAlways},
	}})
	run := b.start("life").GetId()
	w := b.worker("box-1")
	var seen []picture
	see := func() { seen = append(seen, b.see(run)) }
	end := func(outcome engine.Outcome, exit int32) {
		lease := w.poll(1).Leases[0]
		see()
		w.end(lease, outcome, exit, nil)
		see()
	}
	see()
	end(engine.OutcomeSucceeded, 0)
	end(engine.OutcomeFailed, 1)
	key, err := id.Parse(id.Run, run)
	require.NoError(b.t, err)
	b.exec(`UPDATE timer SET at = now() WHERE kind = 'retry'`, nil)
	require.NoError(b.t, b.a.Fire(b.t.Context(), advance.Due{RunKey: advance.RunKey{Org: b.by.OrgID, Run: key}, Kind: "retry", Task: 1, Attempt: 2}))
	lease := w.poll(1).Leases[0]
	see()
	_, err = b.h.CancelRun(b.ctx(), &runv1.CancelRunRequest{Id: run})
	require.NoError(b.t, err)
	w.end(lease, engine.OutcomeCanceled, 0, nil)
	see()
	end(engine.OutcomeSucceeded, 0) // the exit handler
	_, err = b.h.RetryRun(b.ctx(), &runv1.RetryRunRequest{Id: run})
	require.NoError(b.t, err)
	see()
	end(engine.OutcomeSucceeded, 0)
	return run, seen
}

// TestARunIsShownAsItWasSeen: whatever was seen at a moment is shown of it for
// ever, by its time and, where no entry came since, by its seq.
func TestARunIsShownAsItWasSeen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run, seen := b.life()
	h := b.h.History()
	for i, p := range seen {
		past, err := h.GetRunAt(b.ctx(), &runv1.GetRunAtRequest{Id: run, Moment: &runv1.GetRunAtRequest_At{At: timestamppb.New(p.at)}})
		require.NoError(t, err)
		require.Equal(t, p.text, describe(past.GetRun(), past.GetTasks()), "picture %d", i)
		require.Equal(t, p.seq, past.GetRun().GetSeq())
	}
	last := seen[len(seen)-1]
	now, err := h.GetRunAt(b.ctx(), &runv1.GetRunAtRequest{Id: run})
	require.NoError(t, err)
	require.Equal(t, last.text, describe(now.GetRun(), now.GetTasks()))
	for seq := range now.GetLastSeq() + 1 {
		past, err := h.GetRunAt(b.ctx(), &runv1.GetRunAtRequest{Id: run, Moment: &runv1.GetRunAtRequest_Seq{Seq: seq}})
		require.NoError(t, err)
		require.Equal(t, seq, past.GetRun().GetSeq())
		require.Len(t, past.GetTasks(), 4)
	}
	before := timestamppb.New(now.GetRun().GetCreatedAt().AsTime().Add(-time.Second))
	_, err = h.GetRunAt(b.ctx(), &runv1.GetRunAtRequest{Id: run, Moment: &runv1.GetRunAtRequest_At{At: before}})
	require.Equal(t, fault.Reason("INVALID_ARGUMENT"), fault.ReasonOf(err))
	_, err = h.GetRunAt(b.ctx(), &runv1.GetRunAtRequest{Id: run, Moment: &runv1.GetRunAtRequest_Seq{Seq: now.GetLastSeq() + 1}})
	require.Equal(t, fault.Reason("INVALID_ARGUMENT"), fault.ReasonOf(err))
}

// tookText is how long an attempt took: no longer than it was held.
var tookText = regexp.MustCompile(`after \dms`)

func TestEntriesAreSentences(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run, _ := b.life()
	h := b.h.History()
	res, err := h.ListEntries(b.ctx(), &runv1.ListEntriesRequest{Id: run})
	require.NoError(t, err)
	require.Zero(t, res.GetNextAfter())
	var text []string
	for _, e := range res.GetEntries() {
		text = append(text, tookText.ReplaceAllString(e.GetSentence(), "after 5ms"))
	}
	require.Equal(t, []string{
		"Mara started the run.",
		"Attempt 1 of load succeeded on box-1 after 5ms.",
		"Attempt 1 of train failed on box-1 after 5ms: exit code 1; it is tried again at " +
			res.GetEntries()[2].GetRetryAt().AsTime().Format("2006-01-02 15:04:05Z") + ".",
		"Mara canceled the run.",
		"Task score is canceled: the run was canceled.",
		"Attempt 2 of train was canceled on box-1 after 5ms: canceled.",
		"Attempt 1 of tidy succeeded on box-1 after 5ms.",
		"Mara retried the run.",
		"Attempt 3 of train succeeded on box-1 after 5ms.",
	}, text)
	var paged []*runv1.Entry
	for after := int64(0); ; {
		page, err := h.ListEntries(b.ctx(), &runv1.ListEntriesRequest{Id: run, After: after, PageSize: 4})
		require.NoError(t, err)
		paged = append(paged, page.GetEntries()...)
		if after = page.GetNextAfter(); after == 0 {
			break
		}
	}
	require.Len(t, paged, len(text))
}

// TestReplaySaysEveryDifference: what the group commit wrote is what its journal
// folds to; a hand in the tables is found.
func TestReplaySaysEveryDifference(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run, _ := b.life()
	h := b.h.History()
	replay := func() *runv1.ReplayRunResponse {
		res, err := h.ReplayRun(b.ctx(), &runv1.ReplayRunRequest{Id: run})
		require.NoError(t, err)
		return res
	}
	clean := replay()
	require.Empty(t, clean.GetDifferences())
	require.EqualValues(t, 9, clean.GetEntries())
	require.Equal(t, clean.GetRowDigest(), clean.GetFoldedRowDigest())
	require.Len(t, clean.GetStateDigest(), 64)

	super := pgtest.Super(t, b.db.URL())
	// Each change is made, seen and taken back again.
	for _, c := range []struct{ change, back, want string }{
		{
			`UPDATE run SET tasks_done = 1, state = 'paused'`, `UPDATE run SET tasks_done = 2, state = 'running'`,
			"state paused instead of running, tasks_done 1 instead of 2",
		},
		{`UPDATE ready SET attempt = 7`, `UPDATE ready SET attempt = 1`, "stands in ready with attempt 7"},
		{
			`UPDATE journal SET billed_ms = billed_ms + 70 WHERE seq = 2`, `UPDATE journal SET billed_ms = billed_ms - 70 WHERE seq = 2`,
			"entry 2 of " + run + " bills 7",
		},
		{
			`UPDATE journal SET generation = 1 WHERE seq = 9`, `UPDATE journal SET generation = 2 WHERE seq = 9`,
			"entry 9 of " + run + " is of generation 1, but the run was in generation 2",
		},
		{`UPDATE journal SET seq = 99 WHERE seq = 4`, `UPDATE journal SET seq = 4 WHERE seq = 99`, "cannot be folded: entry 5 follows entry 3"},
		{
			`INSERT INTO archived_run (org_id, run_id, seq, digest, digest_version, folder, archived_at)
				SELECT org_id, id, 3, sha256('x'), 1, '', now() FROM run`, `DELETE FROM archived_run`,
			"but was archived with 2d711642",
		},
	} {
		_, err := super.Exec(t.Context(), c.change)
		require.NoError(t, err)
		res := replay()
		require.Len(t, res.GetDifferences(), 1, c.change)
		require.Contains(t, res.GetDifferences()[0].GetText(), c.want, c.change)
		_, err = super.Exec(t.Context(), c.back)
		require.NoError(t, err)
	}
	require.Empty(t, replay().GetDifferences())
}

func TestDiffNamesWhatDiffers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.h.History()
	p := &plan.Plan{Name: "train", Params: []plan.Param{
		{Name: "lr", Type: "float", Open: true}, {Name: "epochs", Type: "int", Open: true}, {Name: "token", Type: "string"},
	}, Tasks: []plan.Task{{Name: "fit"}, {Name: "old"}}}
	b.deploy(p)
	token := b.sealTo(b.key, "token", `"secret"`)
	first := b.start("train", open("lr", "0.1"), open("epochs", "3"), token).GetId()
	w := b.worker("box-1")
	for range 2 {
		w.end(w.poll(1).Leases[0], engine.OutcomeSucceeded, 0, nil)
	}
	again := b.start("train", open("lr", "0.2"), open("epochs", "3"), token).GetId()
	params := func(ctx context.Context, one, two string) map[string]string {
		res, err := h.DiffRuns(ctx, &runv1.DiffRunsRequest{Id: one, Other: two})
		require.NoError(t, err)
		out := map[string]string{}
		for _, d := range res.GetParams() {
			text := strings.ToLower(strings.TrimPrefix(d.GetLikeness().String(), "LIKENESS_"))
			if d.GetLikeness() != runv1.Likeness_LIKENESS_SAME {
				text += " " + string(d.GetValue().GetOpenJson()) + " " + string(d.GetOther().GetOpenJson())
			}
			require.Nil(t, d.GetValue().GetSealed())
			out[d.GetName()] = strings.TrimSpace(text)
		}
		return out
	}
	require.Equal(t, map[string]string{"lr": "differs 0.1 0.2", "epochs": "same", "token": "same"}, params(b.ctx(), first, again))

	p.Tasks = []plan.Task{{Name: "fit", Env: map[string]string{"A": "1"}}, {Name: "new"}}
	b.deploy(p)
	third := b.start("train", open("lr", "0.1"), open("epochs", "3"), b.sealTo(b.key, "token", `"secret"`)).GetId()
	require.Equal(t, map[string]string{"lr": "same", "epochs": "same", "token": "not_comparable"}, params(b.ctx(), first, third))
	longer := b.start("train", open("lr", "0.1"), b.sealTo(b.key, "token", `"`+strings.Repeat("longer ", 100)+`"`)).GetId()
	require.Equal(t, map[string]string{"lr": "same", "epochs": "only_in_run 3", "token": "differs"}, params(b.ctx(), first, longer))

	res, err := h.DiffRuns(b.ctx(), &runv1.DiffRunsRequest{Id: first, Other: third})
	require.NoError(t, err)
	var tasks []string
	for _, d := range res.GetTasks() {
		tasks = append(tasks, fmt.Sprintf("%s %s %s %d %s %d", d.GetName(), d.GetSpec(), d.GetState(), d.GetAttempts(), d.GetOtherState(), d.GetOtherAttempts()))
	}
	require.Equal(t, []string{
		"fit LIKENESS_DIFFERS succeeded 1 ready 0", "old LIKENESS_ONLY_IN_RUN succeeded 1  0", "new LIKENESS_ONLY_IN_OTHER  0 ready 0",
	}, tasks)

	viewer := b.by
	viewer.OrgRole, viewer.WorkspaceRole = authz.OrgMember, authz.WorkspaceViewer
	require.Equal(t, map[string]string{"lr": "differs", "epochs": "same", "token": "same"}, params(caller.With(b.t.Context(), viewer), first, again))
	_, err = h.DiffRuns(b.ctx(), &runv1.DiffRunsRequest{Id: first})
	require.Equal(t, fault.Reason("INVALID_ARGUMENT"), fault.ReasonOf(err))
}

func TestForeignHistoriesAreMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run, _ := b.life()
	h := b.h.History()
	for _, ctx := range []context.Context{b.tenant("rival"), b.neighbour()} {
		_, at := h.GetRunAt(ctx, &runv1.GetRunAtRequest{Id: run})
		_, entries := h.ListEntries(ctx, &runv1.ListEntriesRequest{Id: run})
		_, replay := h.ReplayRun(ctx, &runv1.ReplayRunRequest{Id: run})
		_, diff := h.DiffRuns(ctx, &runv1.DiffRunsRequest{Id: run, Other: run})
		for _, err := range []error{at, entries, replay, diff} {
			require.Equal(t, fault.KindNotFound, fault.KindOf(err))
		}
	}
	foreign := b.tenant("third")
	_, err := h.DiffRuns(b.ctx(), &runv1.DiffRunsRequest{Id: run, Other: "@latest"})
	require.NoError(t, err)
	_, err = h.DiffRuns(foreign, &runv1.DiffRunsRequest{Id: "@latest", Other: run})
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
}
