package rundb_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/rundb"
	"github.com/signalboxhq/signalbox/internal/fault"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func TestListsAreFiltered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	train, eval := b.pipeline(b.by, "train"), b.pipeline(b.by, "eval")
	risk := map[string]string{"team": "risk"}
	both := map[string]string{"team": "risk", "stage": "prod"}
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	b.run(row{b.by, train, "succeeded", risk, at(1)})
	b.run(row{b.by, eval, "failed", nil, at(2)})
	b.run(row{b.by, train, "failed", both, at(3)})
	b.run(row{b.by, train, "canceled", nil, at(4)})
	b.run(row{b.by, eval, "running", risk, at(5)})
	b.run(row{b.by, train, "canceling", nil, at(6)})
	rival := b.tenant("rival")
	b.run(row{rival, b.pipeline(rival, "train"), "failed", risk, at(7)})
	since, until := at(2), at(5)

	for name, c := range map[string]struct {
		filter rundb.Filter
		want   []string
	}{
		"all":                {rundb.Filter{}, []string{"6", "5", "4", "3", "2", "1"}},
		"pipeline":           {rundb.Filter{Pipeline: "eval"}, []string{"5", "2"}},
		"an ended state":     {rundb.Filter{States: []string{"failed"}}, []string{"3", "2"}},
		"an open state":      {rundb.Filter{States: []string{"canceling"}}, []string{"6"}},
		"states":             {rundb.Filter{States: []string{"running", "failed", "canceled", "failed"}}, []string{"5", "4", "3", "2"}},
		"state, pipeline":    {rundb.Filter{States: []string{"failed"}, Pipeline: "train"}, []string{"3"}},
		"label":              {rundb.Filter{Labels: []rundb.Label{{"team", "risk"}}}, []string{"5", "3", "1"}},
		"labels":             {rundb.Filter{Labels: []rundb.Label{{"team", "risk"}, {"stage", "prod"}}}, []string{"3"}},
		"labels, turned":     {rundb.Filter{Labels: []rundb.Label{{"stage", "prod"}, {"team", "risk"}}}, []string{"3"}},
		"another value":      {rundb.Filter{Labels: []rundb.Label{{"team", "prod"}}}, []string{}},
		"label, state":       {rundb.Filter{Labels: []rundb.Label{{"team", "risk"}}, States: []string{"succeeded", "running"}}, []string{"5", "1"}},
		"window":             {rundb.Filter{Since: &since, Until: &until}, []string{"4", "3", "2"}},
		"window, everything": {rundb.Filter{Since: &since, Until: &until, Pipeline: "train", States: []string{"failed"}, Labels: []rundb.Label{{"stage", "prod"}}}, []string{"3"}},
	} {
		require.Equal(t, c.want, b.list(c.filter), name)
	}
}

func TestListsGoOnWhereTheyStopped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.pipeline(b.by, "train")
	for i := range 7 {
		b.run(row{b.by, p, []string{"succeeded", "failed", "running"}[i%3], map[string]string{"n": "x"}, noon.Add(time.Duration(i) * time.Second)})
	}
	for name, f := range map[string]rundb.Filter{
		"plain":  {PageSize: 3},
		"states": {PageSize: 3, States: []string{"succeeded", "failed", "running"}},
		"label":  {PageSize: 3, Labels: []rundb.Label{{"n", "x"}}},
	} {
		var all []string
		for pages := 1; ; pages++ {
			page, err := b.store.List(t.Context(), b.by, f)
			require.NoError(t, err)
			all = append(all, numbers(page)...)
			if page.Next == "" {
				require.Equal(t, 3, pages, name)
				break
			}
			// A run that starts meanwhile does not shift the pages.
			b.run(row{b.by, p, "running", nil, noon.Add(time.Hour)})
			f.PageToken = page.Next
		}
		require.Equal(t, []string{"7", "6", "5", "4", "3", "2", "1"}, all, name)
		b.exec(`DELETE FROM run WHERE number > 7`, nil)
		b.next = 7
	}
}

func TestPagesAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.pipeline(b.by, "train")
	for i := range 203 {
		b.run(row{b.by, p, "succeeded", nil, noon.Add(time.Duration(i) * time.Second)})
	}
	require.Len(t, b.list(rundb.Filter{}), rundb.DefaultPage)
	require.Len(t, b.list(rundb.Filter{PageSize: 10_000}), rundb.MaxPage)
}

func TestWrongFiltersAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	early, late := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	require.Empty(t, b.list(rundb.Filter{Since: &early, Until: &late}))
	for name, c := range map[string]struct {
		filter rundb.Filter
		reason fault.Reason
	}{
		"state":    {rundb.Filter{States: []string{"done"}}, "INVALID_ARGUMENT"},
		"token":    {rundb.Filter{PageToken: "abc"}, "INVALID_ARGUMENT"},
		"labels":   {rundb.Filter{Labels: make([]rundb.Label, 33)}, "INVALID_ARGUMENT"},
		"pipeline": {rundb.Filter{Pipeline: "nobody"}, "NOT_FOUND"},
	} {
		_, err := b.store.List(t.Context(), b.by, c.filter)
		require.Equal(t, c.reason, fault.ReasonOf(err), name)
	}
}
