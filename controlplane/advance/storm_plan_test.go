package advance_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// stormPlan is a small pipeline with something of everything.
func stormPlan(r *rand.Rand, n int) *plan.Plan {
	p := &plan.Plan{Name: fmt.Sprintf("storm%d", n)}
	p.OnFailure = []plan.OnTaskFailure{"", plan.OnFailureContinue, plan.OnFailureStop, plan.OnFailureCancel}[r.IntN(4)]
	if r.IntN(3) == 0 {
		p.Deadline = plan.Millis(200 + r.IntN(400))
	}
	if n%2 == 1 { // half of them have lines
		policies := plan.ConcurrencyPolicies()
		p.Concurrency = &plan.Concurrency{Limit: 1 + r.IntN(3), Policy: policies[r.IntN(len(policies))]}
	}
	for i := range 2 + r.IntN(6) {
		t := plan.Task{
			Name: fmt.Sprintf("t%d", i), Priority: r.IntN(3), Tolerate: r.IntN(5) == 0,
			Rule: []plan.Rule{"", "", "all_done", "one_success", "none_failed", "always"}[r.IntN(6)],
			Retry: plan.Retry{
				User: r.IntN(3), Infra: 1 + r.IntN(3), Preempt: r.IntN(3),
				Steps: []plan.Millis{plan.Millis(r.IntN(40))}, Jitter: plan.JitterNone,
			},
		}
		if r.IntN(4) == 0 {
			t.Timeouts.Queue = plan.Millis(50 + r.IntN(500))
		}
		if r.IntN(5) == 0 {
			t.Limits = []plan.Use{{Limit: "warehouse", Units: 1 + r.IntN(2)}}
		}
		if stormHold(r, &t); !engine.Holds(&t) && r.IntN(5) == 0 {
			t.Gang = &plan.Gang{Size: 2 + r.IntN(2), Spread: []plan.Spread{plan.SpreadAny, plan.SpreadAgents}[r.IntN(2)]}
			t.Timeouts.Start = plan.Millis(r.IntN(2) * 100)
		}
		for up := range i {
			if r.IntN(3) == 0 {
				t.Needs = append(t.Needs, up)
			}
		}
		p.Tasks = append(p.Tasks, t)
	}
	for i := range r.IntN(3) {
		p.Tasks = append(p.Tasks, plan.Task{
			Name: fmt.Sprintf("bye%d", i), Retry: plan.Retry{Infra: 3},
			Exit: []plan.ExitOn{plan.ExitAlways, plan.ExitFailed, plan.ExitSucceeded, plan.ExitCanceled}[r.IntN(4)],
		})
	}
	return p
}
