package conformance_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

func shareChecks() []check {
	return []check{
		{capability: "C-41", says: "a small team behind a large one gets every second lease", test: fairShare},
		{capability: "C-41", says: "the higher priority goes first", test: priorities},
		{capability: "C-41", says: "a big task starts within reserve_after, one task and one poll", test: bigTask},
		{capability: "C-41", says: "a full pool hides no other pool's tasks", test: otherPool},
	}
}

// stamps are the times at which the steps of fair.yaml began, oldest first.
func (d *desk) stamps(name string) []string {
	d.t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, name))
	require.NoError(d.t, err)
	out := strings.Fields(string(text))
	slices.Sort(out)
	return out
}

// begun is how many steps of fair.yaml have begun.
func (d *desk) begun(name string) int {
	text, _ := os.ReadFile(filepath.Join(d.dir, name)) // the first step makes it
	return strings.Count(string(text), "\n")
}

func (d *desk) fair(name, many, priority string) {
	d.t.Helper()
	d.apply("fair.yaml", "NAME", name, "MANY", many, "PRIORITY", priority, "FILE", filepath.Join(d.dir, name))
}

func fairShare(d *desk) {
	d.agent("one", 1)
	d.must("pool", "set", "default", "--fairness", "label:team")
	d.fair("large", "950", "0")
	d.fair("small", "10", "0")
	large := d.start("large")
	d.eventually(20*time.Second, "the large team works", func() bool { return d.begun("large") > 2 })
	small := d.start("small")
	require.Equal(d.t, "succeeded", d.ended(small, 60*time.Second).Run.State)
	d.must("run", "cancel", large) // the rest of the 950 would say no more
	mine := d.stamps("small")
	between := 0
	for _, at := range d.stamps("large") {
		if at > mine[0] && at < mine[len(mine)-1] {
			between++
		}
	}
	require.InDelta(d.t, 9, between, 2, "leases of the other team between the first and the last of ten")
}

func priorities(d *desk) {
	d.agent("one", 1)
	d.fair("low", "30", "0")
	d.fair("high", "5", "90")
	low := d.start("low")
	d.eventually(20*time.Second, "the low ones run", func() bool { return d.get(low).Tasks[0].State == "expanding" })
	high := d.start("high")
	require.Equal(d.t, "succeeded", d.ended(high, 60*time.Second).Run.State)
	require.Equal(d.t, "succeeded", d.ended(low, 60*time.Second).Run.State)
	mine := d.stamps("high")
	for _, at := range d.stamps("low") {
		require.False(d.t, at > mine[0] && at < mine[len(mine)-1], "a task of low priority between those of high priority")
	}
}

func bigTask(d *desk) {
	d.agent("one", 4)
	d.must("pool", "set", "default", "--reserve-after", "2s")
	d.apply("big.yaml")
	d.fair("stream", "300, max_parallel: 4", "0") // each next one is younger than the big one
	stream := d.start("stream")
	d.eventually(20*time.Second, "the stream runs", func() bool { return d.begun("stream") > 4 })
	big := d.ended(d.start("big"), 60*time.Second)
	require.Equal(d.t, "succeeded", big.Run.State)
	step := d.task(big, "step").Attempts[0]
	// 2 s, 0.2 s, and the 3 s after which an agent that has offered its slots one by
	// one offers them together; the rest is what a busy machine takes.
	require.Less(d.t, step.StartedAt.Sub(*big.Run.StartedAt), 7*time.Second)
	require.Equal(d.t, "expanding", d.get(stream).Tasks[0].State, "it did not wait for the end of the stream")
	d.must("run", "cancel", stream)
}

func otherPool(d *desk) {
	d.agent("one", 4)
	d.must("pool", "create", "other")
	d.agentOf("other", "two", 1)
	d.apply("busy.yaml")
	busy := d.start("busy")
	d.eventually(20*time.Second, "the pool is full", func() bool { return d.must("pool", "get", "default", "--jq", ".pool.leased") == "4" })
	d.apply("behind.yaml", "name: behind", "name: behind\npool: other")
	begin := time.Now()
	require.Equal(d.t, "succeeded", d.ended(d.start("behind"), 15*time.Second).Run.State)
	require.Less(d.t, time.Since(begin), 10*time.Second)
	d.must("run", "cancel", busy)
}
