package advance_test

import (
	"context"
	"math/rand/v2"
	"strconv"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/audit"
)

// stormHold makes some tasks wait.
func stormHold(r *rand.Rand, t *plan.Task) {
	vain := []plan.OnTimeout{"", plan.OnTimeoutSkip}[r.IntN(2)]
	switch r.IntN(12) {
	case 0:
		t.Wait = &plan.Wait{For: plan.Millis(1 + r.IntN(300))}
	case 1:
		t.Signal = &plan.Signal{Name: "go", Timeout: plan.Millis(r.IntN(2) * 400), OnTimeout: vain}
	case 2:
		t.Approve = &plan.Approve{Required: 1 + r.IntN(2), Timeout: plan.Millis(r.IntN(2) * 400), OnTimeout: vain, OnReject: vain}
	}
}

var turnRefusals = []fault.Reason{
	"RUN_PENDING", "RUN_CANCELING", "RUN_NOT_PAUSED", "SIGNAL_UNKNOWN", "SIGNAL_LIMIT", "NOT_AN_APPROVAL", "APPROVAL_NOT_OPEN",
	"APPROVAL_CLOSED", "NOT_FOUND",
}

// turn says something to a run: pause, resume, a signal, a vote.
func (s *storm) turn(ctx context.Context, r *rand.Rand, key advance.RunKey) {
	a := s.any(r)
	switch r.IntN(6) {
	case 0:
		s.expect(a.PauseRun(ctx, advance.PauseRun{RunKey: key, Actor: "storm"}))
	case 1:
		s.expect(a.PauseRun(ctx, advance.PauseRun{RunKey: key, Actor: "storm", Suspend: true}))
	case 2, 3:
		s.expect(a.ResumeRun(ctx, advance.ResumeRun{RunKey: key, Actor: "storm"}))
	case 4:
		s.expect(a.SignalRun(ctx, advance.SignalRun{RunKey: key, Actor: "storm", Name: "go", Key: strconv.Itoa(r.IntN(3)), Body: []byte("go")}))
	case 5:
		s.expect(s.vote(ctx, a, key, "t"+strconv.Itoa(r.IntN(8)), "usr_"+strconv.Itoa(r.IntN(3)), r.IntN(4) == 0))
	}
}

func (s *storm) vote(ctx context.Context, a *advance.Advancer, key advance.RunKey, task, who string, reject bool) error {
	return a.Vote(ctx, advance.Vote{
		RunKey: key, Task: task, Actor: who, Reject: reject,
		Event: audit.Event{OrgID: key.Org, Actor: audit.Actor{Type: audit.ActorUser, ID: id.UUID{1}}, Action: "approval.vote", Outcome: audit.OutcomeDone},
	})
}

// release lets all go on that waits for somebody, after the storm.
func (s *storm) release() {
	ctx, a := context.Background(), s.replicas[0].a
	rows, err := s.super.Query(ctx, `SELECT org_id, id, state FROM run WHERE finished_at IS NULL`)
	require.NoError(s.t, err)
	paused, open := []advance.RunKey{}, []advance.RunKey{}
	var key advance.RunKey
	var state string
	for rows.Next() {
		require.NoError(s.t, rows.Scan(&key.Org, &key.Run, &state))
		open = append(open, key)
		if state == "paused" {
			paused = append(paused, key)
		}
	}
	require.NoError(s.t, rows.Err())
	for _, key := range paused {
		s.expect(a.ResumeRun(ctx, advance.ResumeRun{RunKey: key, Actor: "storm"}))
	}
	for _, key := range open {
		s.expect(a.SignalRun(ctx, advance.SignalRun{RunKey: key, Actor: "storm", Name: "go", Body: []byte("go")}))
		for _, task := range s.approvals(key) {
			for _, who := range []string{"usr_a", "usr_b"} {
				s.expect(s.vote(ctx, a, key, task, who, false))
			}
		}
	}
}

func (s *storm) approvals(key advance.RunKey) []string {
	var paths []string
	require.NoError(s.t, s.super.QueryRow(context.Background(),
		`SELECT coalesce(array_agg(path), '{}') FROM approval WHERE org_id = $1 AND run_id = $2`, key.Org, key.Run).Scan(&paths))
	return paths
}

// checkSignals: whoever took a signal has its payload, and none was taken twice.
// No lease was given while its run was paused. What was resumed may be leased in
// the same batch, whose clock is one.
func (s *storm) checkSignals() {
	s.t.Helper()
	var empty, twice, paused int
	require.NoError(s.t, s.super.QueryRow(context.Background(), `
		SELECT (SELECT count(*) FROM journal WHERE convert_from(detail, 'UTF8') LIKE '%"from"%' AND body IS DISTINCT FROM 'go'),
			(SELECT count(*) FROM (SELECT 1 FROM journal WHERE convert_from(detail, 'UTF8') LIKE '%"from"%' GROUP BY run_id, detail HAVING count(*) > 1) d),
			(SELECT count(*) FROM journal j WHERE j.lease <> 0 AND (
				SELECT t.kind FROM journal t WHERE t.run_id = j.run_id
					AND (t.at < j.granted OR (t.at = j.granted AND t.kind NOT IN ('run_paused', 'run_suspended')))
					AND t.kind IN ('run_paused', 'run_suspended', 'run_resumed', 'run_canceled', 'run_forced', 'run_retried', 'deadline_passed')
				ORDER BY t.seq DESC LIMIT 1) IN ('run_paused', 'run_suspended'))`).Scan(&empty, &twice, &paused))
	require.Zero(s.t, empty, "signals whose payload was lost")
	require.Zero(s.t, twice, "signals that were taken twice")
	require.Zero(s.t, paused, "leases of paused runs")
}
