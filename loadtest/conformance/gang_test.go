package conformance_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/loadtest/stack"
)

func gangChecks() []check {
	return []check{
		{capability: "C-49", says: "two gangs of three on four agents, one after the other", needs: "gang.yaml", test: gangs},
		{capability: "C-49", says: "one member's end is the end of all; the next attempt is whole", needs: "gang.yaml", test: gangLoss},
	}
}

func (d *desk) four() map[string]*stack.Agent {
	agents := map[string]*stack.Agent{}
	for _, name := range []string{"one", "two", "three", "four"} {
		agents[name] = d.agent(name, 1)
	}
	return agents
}

func gangs(d *desk) {
	d.four()
	d.apply("gang.yaml", "LONG", "3")
	first, second := d.start("gang"), d.start("gang")
	leased := "0"
	d.eventually(60*time.Second, "both gangs end", func() bool {
		// Members end one by one, but no number in between is ever begun with.
		now := d.must("pool", "get", "default", "--jq", ".pool.leased")
		require.True(d.t, now <= leased || now >= "3", "all members or none: %s after %s", now, leased)
		leased = now
		return d.get(first).Run.FinishedAt != nil && d.get(second).Run.FinishedAt != nil
	})
	require.Equal(d.t, "succeeded", d.get(first).Run.State)
	require.Equal(d.t, "succeeded", d.get(second).Run.State)
}

func gangLoss(d *desk) {
	agents := d.four()
	file := filepath.Join(d.dir, "member")
	d.apply("gang.yaml", "sleep LONG", `'echo $$ > `+file+`.$SB_ATTEMPT.$SB_GANG_RANK; [ "$SB_ATTEMPT" != 1 ] || exec sleep 90'`)
	id := d.start("gang")
	d.eventually(20*time.Second, "the gang runs", func() bool { return d.must("pool", "get", "default", "--jq", ".pool.leased") == "3" })
	busy := d.must("agent", "list", "--jq", `[.agents[] | select(.leases > 0) | .name][0]`)
	pids := make([]int, 3)
	for rank := range pids {
		pids[rank] = d.pid(fmt.Sprintf("%s.1.%d", file, rank))
	}
	require.NoError(d.t, agents[busy].Kill())
	// What the killed agent ran, nobody can stop before it is back.
	d.eventually(40*time.Second, "the other two are stopped within a session's life and 10 s", func() bool {
		return len(slices.DeleteFunc(slices.Clone(pids), func(pid int) bool { return !alive(pid) })) <= 1
	})
	r := d.ended(id, 150*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	for rank := range pids {
		d.pid(fmt.Sprintf("%s.2.%d", file, rank)) // the next attempt has all members
	}
	require.Equal(d.t, "0", d.must("pool", "get", "default", "--jq", ".pool.leased"))
}
