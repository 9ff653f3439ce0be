// Package agentmsg reads and writes the agents' messages in the words of the
// engine. Every control plane that agents talk to does it through this package.
//
// It decides nothing, and must never see a plain value: what agents report is
// passed on as it came.
package agentmsg

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode"

	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/report"
	"github.com/signalboxhq/signalbox/internal/fault"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
)

// Limits of one report. A body holds a task's outputs (256 KiB), what sealing
// adds to them, and a sealed error text.
const (
	MaxReports = 1000
	maxBody    = 512 << 10
	maxReason  = 200
)

// Report reads what an agent says of an attempt. Errors: INVALID_ARGUMENT.
func Report(r *agentv1.AttemptReport) (report.Attempt, error) {
	invalid := func(format string, args ...any) (report.Attempt, error) {
		return report.Attempt{}, fault.Invalid("INVALID_ARGUMENT", "report of lease %d: %s", r.GetLeaseId(), fmt.Sprintf(format, args...))
	}
	run, err := id.Parse(id.Run, r.GetRunId())
	if err != nil {
		return invalid("%s", err)
	}
	outcome, err := engine.ParseOutcome(r.GetOutcome())
	if err != nil || outcome == engine.OutcomeNone {
		return invalid("outcome %q is unknown", r.GetOutcome())
	}
	cause := engine.CauseNone
	if r.GetCause() != "" {
		if cause, err = engine.ParseCause(r.GetCause()); err != nil {
			return invalid("cause %q is unknown", r.GetCause())
		}
	}
	if r.GetDurationMs() < 0 || r.GetFinishedAgoMs() < 0 {
		return invalid("durations must not be negative")
	}
	body, err := bodyOf(r)
	if err != nil {
		return invalid("%s", err)
	}
	return report.Attempt{
		Lease: r.GetLeaseId(), Run: run, Outcome: outcome, Cause: cause, ExitCode: r.GetExitCode(), Reason: oneLine(r.GetReason(), maxReason),
		Started: r.GetStarted(), Duration: time.Duration(r.GetDurationMs()) * time.Millisecond,
		Ago: time.Duration(r.GetFinishedAgoMs()) * time.Millisecond, Final: r.GetFinal(), Body: body,
		Answer: answerOf(r.GetAnswer()), Planned: plannedOf(r.GetPlanned()),
	}, nil
}

// bodyOf encodes what is kept beside the entry, and nil where there is nothing.
func bodyOf(r *agentv1.AttemptReport) ([]byte, error) {
	body := &runv1.Body{
		Outputs: r.GetOutputs(), Artifacts: r.GetArtifacts(), SealedError: r.GetSealedError(), LogBytes: r.GetLogBytes(),
		Decided: r.GetAnswer().GetValues(), ItemDigests: bytes.Join(r.GetAnswer().GetDigests(), nil),
	}
	for _, p := range r.GetPlanned() {
		if len(p.GetEnv()) > 0 {
			body.Planned = append(body.Planned, &runv1.PlannedEnv{Id: p.GetId(), Env: p.GetEnv()})
		}
	}
	if proto.Size(body) == 0 {
		return nil, nil
	}
	out, err := proto.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode body: %w", err)
	}
	if len(out)-len(body.GetItemDigests()) > maxBody {
		return nil, fmt.Errorf("outputs of %d bytes are over the limit of %d; write an artifact instead", len(out), maxBody)
	}
	return out, nil
}

// oneLine makes of what an agent reported a line that can be kept and shown: at
// most so many bytes, and whole characters.
func oneLine(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}
