package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/datastream"
	"github.com/signalboxhq/signalbox/cmd/signalbox/cli/follow"
	relayv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/relay/v1"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// localAsk puts the approvals of a local run to whoever sits at the terminal.
type localAsk struct {
	*localCommand

	asked map[string]bool // by task; a retry does not happen here
	one   sync.Mutex      // question at a time

	mu     sync.Mutex
	nobody bool // was there to be asked
}

// see looks for approvals that are open now. It does not wait for answers.
func (q *localAsk) see(ctx context.Context, res *runv1.WatchRunResponse) {
	mayAsk := q.yes || q.mayAsk("answer", "--yes") == nil
	for _, t := range res.GetTasks() {
		if t.GetState() != "held" || t.GetHold().GetKind() != "approval" || q.asked[t.GetName()] || !mayAsk {
			continue
		}
		q.asked[t.GetName()] = true
		go q.decide(ctx, t)
	}
	if !mayAsk && follow.Asking(res.GetTasks()) && !q.left() {
		q.mu.Lock()
		q.nobody = true
		q.mu.Unlock()
		q.say("The run waits for an approval, and nobody can be asked here: it is canceled.")
		_, _ = q.local.Run.CancelRun(ctx, &runv1.CancelRunRequest{Id: q.runID})
	}
}

// left reports whether the run was given up because nobody can be asked.
func (q *localAsk) left() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.nobody
}

// message is what an approval asks; empty for nothing. What is computed the run's
// own agent opens.
func (q *localAsk) message(ctx context.Context, t *runv1.Task) string {
	if text := t.GetHold().GetMessage(); text != "" {
		return text
	}
	opened, err := datastream.ReadValues(ctx, q.local.Relay, q.opts.Random, datastream.Source{
		Org: q.run.Org, Run: q.runID, Kind: relayv1.DataKind_DATA_KIND_VALUES,
	})
	if err != nil {
		return ""
	}
	raw, asked := opened.Find(datastream.KindMessage, t.GetName(), "")
	if !asked {
		return ""
	}
	return plan.Text(raw)
}

func (q *localAsk) decide(ctx context.Context, t *runv1.Task) {
	q.one.Lock()
	defer q.one.Unlock()
	if t.GetHold().GetNotRequester() {
		q.say(t.GetName() + ": somebody else would have to approve (not_requester); on one machine nobody can see to that.")
	}
	if n := t.GetHold().GetRequired(); n > 1 {
		q.say(fmt.Sprintf("%s: the %d approvals that it requires are given as one here.", t.GetName(), n))
	}
	if text := q.message(ctx, t); text != "" {
		q.say(t.GetName() + ": " + text)
	}
	yes := q.yes
	if !yes {
		q.screen.beside(func() {
			answer, err := q.ask(fmt.Sprintf("Approve %s? [y/n]", t.GetName()), "--yes")
			yes = err == nil && strings.HasPrefix(strings.ToLower(answer), "y")
		})
	}
	_, err := q.local.Approval.DecideApproval(ctx, &runv1.DecideApprovalRequest{RunId: q.runID, Task: t.GetName(), Reject: !yes})
	if err != nil && ctx.Err() == nil {
		q.say(t.GetName() + ": " + err.Error())
	}
}
