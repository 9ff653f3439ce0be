package work_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/agent/fakeplane"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/proto/seal"
)

// Two members of a gang on one agent: each knows its rank, and only the first
// leaves something.
func TestMembersOfAGang(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.address = "node-7.example"
	b.start(t)
	told := b.plane.Opened(1)[0].GetAddress()
	require.True(t, seal.IsText(told), "the control plane is told no address in the clear: %s", told)
	version := b.deploy(t, plan.Task{
		Name: "train", Outputs: []plan.Output{{Name: "who", Type: plan.TypeString, Open: true}},
		Run: `echo "rank $RANK of $WORLD_SIZE at $MASTER_ADDR"; [ "$SB_GANG_RANK" = 0 ] || exit 0; printf '%s/%s' "$SB_GANG_RANK" "$SB_GANG_SIZE" > "$SB_OUTPUTS/who"`,
	})
	b.run = id.New()
	var leases []int64
	for rank := range uint32(2) {
		leases = append(leases, b.plane.Queue(fakeplane.Attempt{Version: version, Run: b.run, Task: "train", Gang: 2, Rank: rank, Meeting: told}))
	}
	for rank, lease := range leases {
		report := b.plane.Report(lease)
		requireOutcome(t, report, "succeeded", "", "")
		require.Len(t, report.GetOutputs(), 1-rank, "member %d", rank)
	}
	require.Contains(t, b.logText(t, "train"), "rank 0 of 2 at node-7.example")
	require.NotContains(t, b.logText(t, "train"), "rank 1 of 2")
}
