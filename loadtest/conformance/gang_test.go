package conformance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
		agents[name] = d.agent(name, 1, "--address", "host-"+name)
	}
	return agents
}

// leased is how many members of gangs the pool has.
func (d *desk) leased() string {
	d.t.Helper()
	return d.must("pool", "get", "default", "--jq", ".pool.leased")
}

// gangs has the members of each gang wait for a word, so that none ends before all
// are told to: whatever is seen until then is all members or none.
func gangs(d *desk) {
	d.four()
	d.apply("gang.yaml", "sleep LONG", `'echo "$MASTER_ADDR" >> "`+d.dir+`/meeting"; while [ ! -e "`+d.dir+`/$SB_RUN_ID" ]; do sleep 0.1; done'`)
	ids := []string{d.start("gang"), d.start("gang")}
	whole := func(what string, ask func() bool) {
		d.eventually(60*time.Second, what, func() bool {
			members := d.leased()
			require.Contains(d.t, []string{"0", "3"}, members, "all members or none")
			return members == "3" && ask()
		})
	}
	whole("the first gang runs, the second waits for room", func() bool {
		return strings.Contains(d.why(ids[0])+d.why(ids[1]), "its gang needs 3 members at once")
	})
	if d.task(d.get(ids[0]), "train").State != "running" {
		slices.Reverse(ids)
	}
	d.touch(ids[0])
	first := d.ended(ids[0], 60*time.Second)
	whole("the second gang runs", func() bool { return d.task(d.get(ids[1]), "train").State == "running" })
	d.touch(ids[1])
	second := d.ended(ids[1], 60*time.Second)
	for _, r := range []run{first, second} {
		require.Equal(d.t, "succeeded", r.Run.State)
		require.Len(d.t, d.task(r, "train").Attempts, 1)
	}
	// Where they met, the control plane had only in a sealed form.
	meeting, err := os.ReadFile(filepath.Join(d.dir, "meeting"))
	require.NoError(d.t, err)
	require.Regexp(d.t, `^(host-(?:one|two|three|four)\n){6}$`, string(meeting))
}

func gangLoss(d *desk) {
	agents := d.four()
	file := filepath.Join(d.dir, "member")
	d.apply("gang.yaml", "sleep LONG", `'echo $$ > `+file+`.$SB_ATTEMPT.$SB_GANG_RANK; [ "$SB_ATTEMPT" != 1 ] || exec sleep 90'`)
	id := d.start("gang")
	d.eventually(20*time.Second, "the gang runs", func() bool { return d.leased() == "3" })
	busy := d.must("agent", "list", "--jq", `[.agents[] | select(.leases > 0) | .name][0]`)
	pids := make([]int, 3)
	for rank := range pids {
		pids[rank] = d.pid(fmt.Sprintf("%s.1.%d", file, rank))
	}
	require.NoError(d.t, agents[busy].Kill())
	// The killed agent's own member, too: no step outlives its agent.
	d.eventually(40*time.Second, "all three are stopped within a session's life and 10 s", func() bool {
		return !slices.ContainsFunc(pids, alive)
	})
	r := d.ended(id, 150*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	for rank := range pids {
		d.pid(fmt.Sprintf("%s.2.%d", file, rank)) // the next attempt has all members
	}
	require.Len(d.t, d.task(r, "train").Attempts, 2)
	require.Equal(d.t, "lost", d.task(r, "train").Attempts[0].State)
	require.Equal(d.t, "0", d.leased())
}
