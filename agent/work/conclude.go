package work

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/agent/link"
	"github.com/signalboxhq/signalbox/agent/step"
)

// maxReason is the longest reason that the control plane keeps, in bytes.
const maxReason = 200

// conclude turns a verdict into an outcome that is safe to send, puts it into
// the spool, and cleans up. Nothing is sent here.
func (w *Worker) conclude(ctx context.Context, a *Attempt, v step.Verdict) {
	v.Reason = clip(a.Redactor.String(v.Reason), maxReason)
	v.Detail = a.Redactor.String(v.Detail)
	if v.Outcome != step.OutcomeSucceeded {
		a.Log.Note(string(v.Outcome) + ": " + v.Reason)
	}
	w.attach(ctx, a)
	report := w.reportOf(ctx, a, v)
	w.cleanUp(ctx, a)
	w.deliver(ctx, a, v, report)
}

// deliver puts an outcome into the spool, from where it is sent; nothing if the
// lease is gone.
func (w *Worker) deliver(ctx context.Context, a *Attempt, v step.Verdict, report link.Report) {
	if !a.control.conclude() {
		w.log.LogAttrs(ctx, slog.LevelWarn, "the lease is gone, its results are dropped", slog.Any("attempt", a))
		w.accounts.release(a.Lease.ID)
		w.book.remove(a.Lease.ID)
		w.offerAgain()
		return
	}
	level := slog.LevelInfo
	if a.Lease.Decision != link.DecideNothing {
		level = slog.LevelDebug
	}
	w.log.LogAttrs(ctx, level, "an attempt ended", slog.Any("attempt", a),
		slog.String("outcome", report.Outcome), slog.Duration("ran", v.Ran))
	w.keep(ctx, report)
	w.accounts.release(a.Lease.ID)
	w.reports.add(report)
}

// reportOf seals what an attempt came to. What cannot be sealed is not sent: a
// result without its outputs is worth less than a repetition.
func (w *Worker) reportOf(ctx context.Context, a *Attempt, v step.Verdict) link.Report {
	report := link.Report{
		Lease: a.Lease.ID, Run: a.Lease.Run, Task: a.Lease.Task, Attempt: a.Lease.Attempt,
		Outcome: string(v.Outcome), Cause: string(v.Cause), ExitCode: v.ExitCode, Reason: v.Reason, Final: v.Final,
		Started: v.Started, Duration: v.Ran, Finished: time.Now(), LogBytes: a.Log.Bytes(),
	}
	workspace := w.workspaceNow()
	var err error
	if v.Outcome == step.OutcomeSucceeded {
		report.Artifacts, report.Planned, report.Decided = a.Artifacts, a.Planned, a.Decided
		if report.Outputs, err = workspace.SealOutputs(a.Lease.Task, a.Task, a.Outputs); err != nil {
			report.Outcome, report.Cause = string(step.OutcomeLost), string(step.CauseInfra)
			report.Reason, report.Artifacts, report.Planned = "the outputs could not be sealed", nil, nil
			v.Detail = err.Error()
		}
	}
	if report.Outcome != string(step.OutcomeSucceeded) {
		if report.SealedError, err = workspace.SealError(v.Detail); err != nil {
			w.log.LogAttrs(ctx, slog.LevelError, "an error text could not be sealed", slog.Any("attempt", a), slog.Any("error", err))
		}
	}
	return report
}

// keep puts an outcome into the spool. A disk that refuses it does not stop the
// report: it is sent from memory then, and lost only if the agent dies before.
func (w *Worker) keep(ctx context.Context, report link.Report) {
	content, err := json.Marshal(report)
	if err == nil {
		err = w.spool.Put(report.Lease, content)
	}
	if err != nil {
		w.log.LogAttrs(ctx, slog.LevelError, "an outcome could not be kept on disk", slog.Int64("lease", report.Lease), slog.Any("error", err))
	}
}

// attach keeps the step's summary and metrics with its log.
func (w *Worker) attach(ctx context.Context, a *Attempt) {
	if a.Folder == nil {
		return
	}
	for name, read := range map[string]func() (string, error){"summary.md": a.Folder.Summary, "metrics.jsonl": a.Folder.Metrics} {
		text, err := read()
		if err == nil && text != "" {
			err = a.Log.Attach(name, a.Redactor.String(text))
		}
		if err != nil {
			w.log.LogAttrs(ctx, slog.LevelWarn, "a text of a step is lost", slog.String("name", name), slog.Any("attempt", a), slog.Any("error", err))
		}
	}
}

// cleanUp closes the log and removes the attempt's folder.
func (w *Worker) cleanUp(ctx context.Context, a *Attempt) {
	if err := a.Log.Close(); err != nil {
		w.log.LogAttrs(ctx, slog.LevelWarn, "a log is not whole", slog.Any("attempt", a), slog.Any("error", err))
	}
	if a.Folder == nil {
		return
	}
	if err := a.Folder.Remove(); err != nil {
		w.log.LogAttrs(ctx, slog.LevelWarn, "an attempt's folder stays", slog.Any("attempt", a), slog.Any("error", err))
	}
}

// clip cuts a text to so many bytes without cutting a character.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	const mark = "…"
	return strings.ToValidUTF8(text[:most-len(mark)], "") + mark
}
