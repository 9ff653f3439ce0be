package conformance_test

import (
	"time"

	"github.com/stretchr/testify/require"
)

func nestedChecks() []check {
	return []check{
		{capability: "C-12", says: "canceling the parent cancels the child; recursion is refused", needs: "parent.yaml", test: nestedCancel},
		{capability: "C-12", says: "what the child used is the parent's, too", needs: "usage run", test: nestedUsage},
	}
}

func nestedCancel(d *desk) {
	d.agent("one", 2)
	d.apply("child.yaml", "LONG", "60")
	d.apply("parent.yaml")
	failure := d.refused(65, "apply", "pipelines/recursive.yaml")
	require.Contains(d.t, failure, "parent", "the error names the way around")
	id := d.start("parent")
	child := ""
	d.eventually(20*time.Second, "the child runs", func() bool {
		child = d.must("run", "list", "--pipeline", "child", "-o", "name")
		return child != "" && d.get(child).states()["work"] == "running"
	})
	d.must("run", "cancel", id)
	require.Equal(d.t, "canceled", d.ended(child, 20*time.Second).Run.State, "within two heartbeats")
	require.Equal(d.t, "canceled", d.ended(id, 10*time.Second).Run.State)
}

func nestedUsage(d *desk) {
	d.agent("one", 2)
	d.apply("child.yaml", "LONG", "2")
	d.apply("parent.yaml")
	id := d.start("parent")
	require.Equal(d.t, "succeeded", d.ended(id, 30*time.Second).Run.State)
	child := d.must("run", "list", "--pipeline", "child", "-o", "name")
	own := func(run, of string) string { return d.must("usage", "run", run, "--json", "--jq", of) }
	d.eventually(30*time.Second, "what is below the parent is what the child used", func() bool {
		used := own(child, "[.meters, .costCents]")
		return own(child, ".meters | length") != "0" && used == own(id, "[.childrenMeters, .childrenCostCents]")
	})
}
