package advance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/engine"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// Agents of an organization that is frozen, or whose bill has stood for too long,
// finish what they hold and get nothing new.
func TestAHeldOrganizationStartsNothingNew(t *testing.T) {
	t.Parallel()
	for what, sql := range map[string][2]string{
		"frozen":    {`UPDATE organization SET frozen_at = now()`, `UPDATE organization SET frozen_at = NULL`},
		"suspended": {`UPDATE organization SET state = 'suspended'`, `UPDATE organization SET state = 'active'`},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			w := b.worker(2)
			run := b.start(b.deploy(&plan.Plan{Name: "p", Tasks: []plan.Task{{Name: "a"}, {Name: "b", Needs: []int{0}}}}))
			l := w.poll(1, 0).Leases[0]
			b.exec(sql[0], nil)
			require.Empty(t, w.report(2, ended(l, engine.OutcomeSucceeded)).Leases)
			require.Empty(t, w.poll(2, 0).Leases)
			require.Equal(t, "running", b.state(run))
			b.exec(sql[1], nil)
			w.report(0, ended(w.await(), engine.OutcomeSucceeded))
			require.Equal(t, "succeeded", b.state(run))
		})
	}
}
