package runapi_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/internal/fault"
	runv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/run/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Each task may leave its outputs; all together they are more than one task may.
func TestAChildThatLeavesMoreThanATaskMay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := &plan.Plan{Name: "big"}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		p.Tasks = append(p.Tasks, plan.Task{Name: name, Outputs: []plan.Output{{Name: "text", Type: plan.TypeString, Open: true}}})
		p.Outputs = append(p.Outputs, plan.Output{Name: name, Type: plan.TypeString, Open: true, From: &plan.OutputRef{Task: name, Output: "text"}})
	}
	b.deploy(p)
	for size, want := range map[int]string{
		10_000:             "",
		plan.MaxValueBytes: "the outputs have 327680 bytes together, a task may have 262144: hand on what is large as an artifact",
	} {
		run, err := id.Parse(id.Run, b.start("big").GetId())
		require.NoError(t, err)
		w := b.worker(strings.Repeat("x", 1+size%7))
		text := `"` + strings.Repeat("x", size-2) + `"`
		for _, l := range w.poll(8).Leases {
			v := open("text", text)
			v.Size = uint32(size)
			body, err := proto.Marshal(&runv1.Body{Outputs: []*runv1.Value{v}})
			require.NoError(t, err)
			w.end(l, engine.OutcomeSucceeded, 0, body)
		}
		left, err := b.h.Nester().Left(t.Context(), advance.RunKey{Org: b.by.OrgID, Run: run})
		if want != "" {
			require.EqualError(t, err, want)
			require.Equal(t, fault.KindInvalid, fault.KindOf(err))
			continue
		}
		require.NoError(t, err)
		var body runv1.Body
		require.NoError(t, proto.Unmarshal(left, &body))
		require.Len(t, body.GetOutputs(), 5)
		require.Equal(t, "a", body.GetOutputs()[0].GetName())
	}
}

// What an organization may not start itself, its runs may not either.
func TestChildrenOfAnOrganizationThatStartsNoRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(&plan.Plan{Name: "other", Tasks: []plan.Task{{Name: "a"}}})
	b.deploy(&plan.Plan{Name: "parent", Tasks: []plan.Task{{Name: "sub", Pipeline: &plan.Nested{Name: "other"}}}})
	run, err := id.Parse(id.Run, b.start("parent").GetId())
	require.NoError(t, err)
	for state, starts := range map[string]bool{"trialing": true, "past_due": true, "restricted": false, "suspended": false, "closed": false} {
		b.exec(`UPDATE organization SET state = @state WHERE org_id = @org`, pgx.NamedArgs{"state": state, "org": b.by.OrgID})
		_, err := b.h.Nester().Child(t.Context(), advance.ParentTask{RunKey: advance.RunKey{Org: b.by.OrgID, Run: run}, Attempt: 1, Path: "sub"})
		require.Equal(t, starts, err == nil, "%s: %v", state, err)
		if !starts {
			require.Contains(t, err.Error(), "starts no new runs while its bill is open")
		}
	}
}
