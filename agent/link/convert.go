package link

import (
	"cmp"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
)

func toCapacity(c Capacity) *agentv1.Capacity {
	return &agentv1.Capacity{
		Slots: uint32(max(0, c.Slots)), CpuMillis: c.CPUMillis, MemoryBytes: c.MemoryBytes,
		Gpus: uint32(max(0, c.GPUs)), GpuType: c.GPUType, Decisions: uint32(max(0, c.Decisions)),
	}
}

func fromWork(w *agentv1.Work) Work {
	var work Work
	for _, l := range w.GetLeases() {
		lease := Lease{
			ID: l.GetId(), Run: l.GetRunId(), RunNumber: l.GetRunNumber(), Pipeline: l.GetPipeline(), Version: l.GetVersion(),
			Task: l.GetTask(), Attempt: l.GetAttempt(), Labels: l.GetLabels(), RunOutcome: l.GetRunOutcome(), HasInputs: l.GetHasInputs(),
			PlanTask: cmp.Or(l.GetPlanTask(), l.GetTask()), Indexes: l.GetIndexes(), Decision: fromDecision(l.GetDecision()),
			GangRank: l.GetGangRank(), GangSize: l.GetGangSize(), Rendezvous: l.GetRendezvous(),
		}
		if l.GetDeadline() != nil {
			lease.Deadline = l.GetDeadline().AsTime()
		}
		lease.RunLimit = time.Duration(l.GetRunLimitMs()) * time.Millisecond
		if l.GetNominal() != nil {
			lease.Nominal, lease.IntervalStart, lease.IntervalEnd = l.GetNominal().AsTime(), l.GetIntervalStart().AsTime(), l.GetIntervalEnd().AsTime()
		}
		work.Leases = append(work.Leases, lease)
	}
	work.Orders = fromOrders(w.GetOrders())
	for _, d := range w.GetDataRequests() {
		work.Data = append(work.Data, DataRequest{
			Stream: d.GetStreamId(), Grant: d.GetGrant(), Run: d.GetRunId(), Task: d.GetTask(), Attempt: d.GetAttempt(),
			Kind: fromKind(d.GetKind()), PublicKey: d.GetPublicKey(), Offset: d.GetOffset(), Follow: d.GetFollow(),
		})
	}
	return work
}

func fromDecision(decision agentv1.Decision) Decision {
	switch decision {
	case agentv1.Decision_DECISION_UNSPECIFIED:
		return DecideNothing
	case agentv1.Decision_DECISION_BEGIN:
		return DecideBegin
	case agentv1.Decision_DECISION_ITEM:
		return DecideItem
	case agentv1.Decision_DECISION_UNTIL:
		return DecideUntil
	}
	return DecideUnknown
}

func fromKind(kind relayv1.DataKind) DataKind {
	switch kind {
	case relayv1.DataKind_DATA_KIND_LOGS:
		return DataLogs
	case relayv1.DataKind_DATA_KIND_VALUES:
		return DataValues
	case relayv1.DataKind_DATA_KIND_UNSPECIFIED:
	}
	return DataUnknown
}

// fromOrders leaves out actions that this release does not know: no order means
// go on.
func fromOrders(list []*agentv1.Order) []Order {
	var orders []Order
	for _, o := range list {
		order := Order{Lease: o.GetLeaseId(), Grace: time.Duration(o.GetGraceMs()) * time.Millisecond}
		switch o.GetAction() {
		case agentv1.Order_ACTION_STOP:
			order.Action = ActionStop
		case agentv1.Order_ACTION_STALE:
			order.Action = ActionStale
		case agentv1.Order_ACTION_KILL:
			order.Action = ActionKill
		case agentv1.Order_ACTION_UNSPECIFIED:
			continue
		default:
			continue
		}
		orders = append(orders, order)
	}
	return orders
}

func toHeld(list []Held) []*agentv1.Held {
	phases := map[Phase]agentv1.Phase{
		PhaseLeased: agentv1.Phase_PHASE_LEASED, PhaseStarting: agentv1.Phase_PHASE_STARTING, PhaseRunning: agentv1.Phase_PHASE_RUNNING,
	}
	held := make([]*agentv1.Held, 0, len(list))
	for _, h := range list {
		one := &agentv1.Held{LeaseId: h.Lease, Phase: phases[h.Phase]}
		if h.Phase == PhaseRunning {
			one.RunningMs = new(h.Running.Milliseconds())
		}
		held = append(held, one)
	}
	return held
}

func fromValues(list []*runv1.Value) []Value {
	var values []Value
	for _, v := range list {
		values = append(values, Value{Name: v.GetName(), Type: v.GetType(), Open: v.GetOpenJson(), Sealed: v.GetSealed(), Size: v.GetSize(), SealedAs: v.GetSealedAs()})
	}
	return values
}

func fromMessage(v *runv1.Value) *Value {
	if v == nil {
		return nil
	}
	return &fromValues([]*runv1.Value{v})[0]
}

func toValues(list []Value) []*runv1.Value {
	var values []*runv1.Value
	for _, v := range list {
		value := &runv1.Value{Name: v.Name, Type: v.Type, Size: v.Size}
		if v.Sealed != nil {
			value.Content = &runv1.Value_Sealed{Sealed: v.Sealed}
		} else {
			value.Content = &runv1.Value_OpenJson{OpenJson: v.Open}
		}
		values = append(values, value)
	}
	return values
}

func fromArtifacts(list []*runv1.Artifact) []Artifact {
	var artifacts []Artifact
	for _, a := range list {
		artifacts = append(artifacts, Artifact{Name: a.GetName(), Type: a.GetType(), SealedURI: a.GetSealedUri(), Digest: a.GetDigest(), Size: a.GetSize()})
	}
	return artifacts
}

func toArtifacts(list []Artifact) []*runv1.Artifact {
	var artifacts []*runv1.Artifact
	for _, a := range list {
		artifacts = append(artifacts, &runv1.Artifact{Name: a.Name, Type: a.Type, SealedUri: a.SealedURI, Digest: a.Digest, Size: a.Size})
	}
	return artifacts
}

// toReport says how long ago an attempt ended, since no two machines' wall
// clocks are ever compared.
func toReport(r Report, now time.Time) *agentv1.AttemptReport {
	report := &agentv1.AttemptReport{
		LeaseId: r.Lease, RunId: r.Run, Task: r.Task, Attempt: r.Attempt, Outcome: r.Outcome, Cause: r.Cause,
		ExitCode: r.ExitCode, Reason: r.Reason, Final: r.Final, Started: r.Started,
		DurationMs: r.Duration.Milliseconds(), FinishedAgoMs: max(0, now.Sub(r.Finished).Milliseconds()),
		Outputs: toValues(r.Outputs), Artifacts: toArtifacts(r.Artifacts), SealedError: r.SealedError, LogBytes: r.LogBytes,
	}
	if d := r.Decided; d != nil {
		report.Answer = &agentv1.Answer{Yes: d.Yes, Count: d.Count, Digests: d.Digests, Values: toValues(d.Values)}
		if !d.Until.IsZero() {
			report.Answer.Until = timestamppb.New(d.Until)
		}
	}
	for _, p := range r.Planned {
		report.Planned = append(report.Planned, &agentv1.PlannedTask{Id: p.ID, Template: p.Template, Needs: p.Needs, Env: toValues(p.Env)})
	}
	return report
}

func fromAnswer(status agentv1.ReportResult_Status) Answer {
	switch status {
	case agentv1.ReportResult_STATUS_ACCEPTED:
		return AnswerAccepted
	case agentv1.ReportResult_STATUS_STALE_FENCE:
		return AnswerStale
	case agentv1.ReportResult_STATUS_RETRY, agentv1.ReportResult_STATUS_UNSPECIFIED:
	}
	return AnswerRetry
}
