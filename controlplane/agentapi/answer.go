package agentapi

import (
	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
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

func plannedOf(planned []*agentv1.PlannedTask) []advance.Planned {
	var out []advance.Planned
	for _, p := range planned {
		out = append(out, advance.Planned{ID: p.GetId(), Template: p.GetTemplate(), Needs: p.GetNeeds()})
	}
	return out
}

// decisions are the questions as the contract spells them.
var decisions = [...]agentv1.Decision{
	engine.AskNothing: agentv1.Decision_DECISION_UNSPECIFIED,
	engine.AskBegin:   agentv1.Decision_DECISION_BEGIN,
	engine.AskItem:    agentv1.Decision_DECISION_ITEM,
	engine.AskUntil:   agentv1.Decision_DECISION_UNTIL,
}
