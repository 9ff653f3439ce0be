package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Two agents that cannot take a task must not hand it to and fro until its
// budget is gone: another one, or one of them later, may be able to.
func TestAgentsThatHandATaskBackAreAskedEverMoreRarely(t *testing.T) {
	t.Parallel()
	s := tell(t, tasks(plan.Task{Name: "a", Retry: plan.Retry{Infra: 3}}))
	s.start()
	for _, opens := range []string{"#2", "#3 in 5s", "#4 in 10s", "#5 in 20s", "#6 in 40s", "#7 in 1m20s", "#8 in 2m40s", "#9 in 5m0s", "#10 in 5m0s"} {
		require.Contains(t, s.ends(0, engine.OutcomeRejected), "opens a"+opens)
		s.tick()
	}
}
