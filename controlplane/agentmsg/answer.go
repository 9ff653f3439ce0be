package agentmsg

import (
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/controlplane/report"
	agentv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/agent/v1"
)

// answerOf reads what an agent decided. The values that it made are kept beside
// the entry.
func answerOf(a *agentv1.Answer) *engine.Answer {
	if a == nil {
		return nil
	}
	out := &engine.Answer{Yes: a.GetYes(), Count: int(a.GetCount()), Digests: a.GetDigests()}
	if a.GetUntil() != nil {
		out.Until = a.GetUntil().AsTime()
	}
	return out
}

func plannedOf(planned []*agentv1.PlannedTask) []report.Planned {
	var out []report.Planned
	for _, p := range planned {
		out = append(out, report.Planned{ID: p.GetId(), Template: p.GetTemplate(), Needs: p.GetNeeds()})
	}
	return out
}

var decisions = [...]agentv1.Decision{
	engine.AskNothing: agentv1.Decision_DECISION_UNSPECIFIED,
	engine.AskBegin:   agentv1.Decision_DECISION_BEGIN,
	engine.AskItem:    agentv1.Decision_DECISION_ITEM,
	engine.AskUntil:   agentv1.Decision_DECISION_UNTIL,
}

// Decision is a question as the contract spells it.
func Decision(a engine.Ask) agentv1.Decision { return decisions[a] }

// Phase is how far an attempt is, as tables spell it; empty for unknown.
func Phase(p agentv1.Phase) string {
	switch p {
	case agentv1.Phase_PHASE_LEASED:
		return "leased"
	case agentv1.Phase_PHASE_STARTING:
		return "starting"
	case agentv1.Phase_PHASE_RUNNING:
		return "running"
	case agentv1.Phase_PHASE_UNSPECIFIED:
	}
	return ""
}
