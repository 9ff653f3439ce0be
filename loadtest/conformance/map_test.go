package conformance_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

func mapChecks() []check {
	return []check{
		{capability: "C-08", says: "as many tasks as the list has, collected in order", short: true, test: fanOut},
		{capability: "C-08", says: "an empty list succeeds, skips or fails, as asked", test: emptyMaps},
		{capability: "C-08", says: "one failure is tolerated, two are not", short: true, test: mapTolerates},
		{capability: "C-08", says: "task list shows the items", needs: "task list --node", test: listItems},
		{capability: "C-09", says: "resume runs only what failed or is new", needs: "run resume --from", test: mapResumes},
	}
}

func fanOut(d *desk) {
	d.agent("one", 4)
	d.apply("fan.yaml", "TOLERATE", "0", "DIR", d.dir)
	version := ""
	for parts, want := range map[string]int{`["a","b","c"]`: 3, `["e","d","c","b","a"]`: 5, `[]`: 0} {
		r := d.ended(d.start("fan", "-p", "parts="+parts), 30*time.Second)
		require.Equal(d.t, "succeeded", r.Run.State)
		train := d.task(r, "train")
		require.Equal(d.t, "succeeded", train.State)
		require.Equal(d.t, strconv.Itoa(want), d.must("task", "list", r.Run.ID, "--node", "train", "--state", "succeeded", "--json", "--jq", "length"))
		require.Equal(d.t, cmp.Or(version, r.Run.Version), r.Run.Version, "one version, however long the list")
		version = r.Run.Version
		var names, models []string
		require.NoError(d.t, json.Unmarshal([]byte(parts), &names))
		require.NoError(d.t, json.Unmarshal([]byte(d.value(r.Run.ID, "tasks.collect.outputs.models")), &models))
		require.Len(d.t, models, len(names))
		for i, name := range names {
			require.Equal(d.t, "model of "+name, models[i])
		}
	}
}

func emptyMaps(d *desk) {
	d.agent("one", 4)
	d.apply("empty.yaml")
	r := d.ended(d.start("empty"), 30*time.Second)
	require.Equal(d.t, "failed", r.Run.State)
	require.Equal(d.t, map[string]string{
		"split": "succeeded", "none-fails": "failed", "none-skips": "skipped", "none-succeeds": "succeeded",
	}, r.states())
}

func mapTolerates(d *desk) {
	d.agent("one", 4)
	d.apply("fan.yaml", "TOLERATE", "1", "DIR", d.dir)
	d.touch("broken-b")
	r := d.ended(d.start("fan"), 30*time.Second)
	require.Equal(d.t, "succeeded", r.Run.State)
	require.Equal(d.t, 1, d.task(r, "train").Items.Tolerated)
	require.JSONEq(d.t, `["model of a", null, "model of c"]`, d.value(r.Run.ID, "tasks.collect.outputs.models"))
	d.touch("broken-c")
	r = d.ended(d.start("fan"), 30*time.Second)
	require.Equal(d.t, "failed", r.Run.State)
	require.Equal(d.t, "failed", d.task(r, "train").State)
}

func listItems(d *desk) {
	d.agent("one", 4)
	d.apply("fan.yaml", "TOLERATE", "1", "DIR", d.dir)
	d.touch("broken-b")
	r := d.ended(d.start("fan"), 30*time.Second)
	require.Equal(d.t, "3", d.must("task", "list", r.Run.ID, "--node", "train", "--json", "--jq", "length"))
	require.Equal(d.t, "tolerated", d.must("task", "get", r.Run.ID, "train[1]", "--json", "--jq", ".state"))
}

func mapResumes(d *desk) {
	d.agent("one", 4)
	d.apply("fan.yaml", "TOLERATE", "0", "DIR", d.dir)
	d.touch("broken-4")
	d.touch("broken-7")
	id := d.start("fan", "-p", `parts=["0","1","2","3","4","5","6","7","8","9"]`)
	require.Equal(d.t, "failed", d.ended(id, 30*time.Second).Run.State)
	require.Equal(d.t, "train[4]\ntrain[7]", d.must("task", "list", id, "--node", "train", "--state", "failed", "--json", "--jq", ".[].name"))
	require.NoError(d.t, errors.Join(os.Remove(filepath.Join(d.dir, "broken-4")), os.Remove(filepath.Join(d.dir, "broken-7"))))
	fixed := d.ended(d.resume(id), 30*time.Second)
	require.Equal(d.t, "succeeded", fixed.Run.State)
	items := d.task(fixed, "train").Items
	require.Equal(d.t, 8, items.Reused)
	require.Equal(d.t, 2, items.Succeeded)
	require.Equal(d.t, 2, d.executed(fixed.Run.ID, "train["))
	edited := d.ended(d.resume(fixed.Run.ID, "--set", `parts=["9","8","7","new","6","5","4","3","2","1","0"]`), 30*time.Second)
	require.Equal(d.t, "succeeded", edited.Run.State)
	items = d.task(edited, "train").Items
	require.Equal(d.t, 11, items.Total)
	require.Equal(d.t, 10, items.Reused)
	require.Equal(d.t, 1, d.executed(edited.Run.ID, "train["))
}

// value reads an output of a run, opened by an agent.
func (d *desk) value(id, name string) string {
	d.t.Helper()
	var out string
	d.eventually(10*time.Second, name+" can be read", func() bool {
		text, _, code := d.cli("run", "values", id, name)
		out = strings.TrimSpace(text)
		return code == 0
	})
	return out
}
