package poolapi_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/pooldb"
	"github.com/signalboxhq/signalbox/internal/fault"
	poolv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pool/v1"
)

func TestLimitsAreDeclaredChangedAndRemoved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, rival := b.tenant("acme"), b.tenant("rival")
	_, err := b.h.SetLimit(ctx, &poolv1.SetLimitRequest{Name: "warehouse", Max: new(int64(2))})
	require.NoError(t, err)
	set, err := b.h.SetLimit(ctx, &poolv1.SetLimitRequest{Name: "warehouse", Max: new(int64(3)), Rate: 60, RatePerMs: 60_000})
	require.NoError(t, err)
	require.EqualValues(t, 3, set.GetLimit().GetMax())
	require.EqualValues(t, 60, set.GetLimit().GetRate())
	list, err := b.h.ListLimits(ctx, &poolv1.ListLimitsRequest{})
	require.NoError(t, err)
	require.Len(t, list.GetLimits(), 1)

	others, err := b.h.ListLimits(rival, &poolv1.ListLimitsRequest{})
	require.NoError(t, err)
	require.Empty(t, others.GetLimits())
	_, err = b.h.DeleteLimit(rival, &poolv1.DeleteLimitRequest{Name: "warehouse"})
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))

	b.exec(`INSERT INTO limit_hold (org_id, run_id, task, workspace_id, name, units)
		SELECT org_id, gen_random_uuid(), 0, workspace_id, name, 2 FROM named_limit`, pgx.NamedArgs{})
	_, err = b.h.DeleteLimit(ctx, &poolv1.DeleteLimitRequest{Name: "warehouse"})
	require.Equal(t, pooldb.ReasonLimitHeld, fault.ReasonOf(err))
	b.exec(`DELETE FROM limit_hold`, pgx.NamedArgs{})
	_, err = b.h.DeleteLimit(ctx, &poolv1.DeleteLimitRequest{Name: "warehouse"})
	require.NoError(t, err)
}

func TestWrongLimitsAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	for name, req := range map[string]*poolv1.SetLimitRequest{
		"nothing":  {Name: "x"},
		"name":     {Name: "No", Max: new(int64(1))},
		"negative": {Name: "x", Max: new(int64(-1))},
		"rate":     {Name: "x", Rate: -5, RatePerMs: 1},
		"time":     {Name: "x", Rate: 5},
		"years":    {Name: "x", Rate: 5, RatePerMs: 1 << 50},
	} {
		_, err := b.h.SetLimit(ctx, req)
		require.Equal(t, pooldb.ReasonInvalid, fault.ReasonOf(err), name)
	}
}

func TestHowAPoolSharesIsSet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	res, err := b.h.UpdatePool(ctx, &poolv1.UpdatePoolRequest{
		Name: "default", Fairness: new("label:team"), Weights: map[string]float64{"risk": 3}, SetWeights: true,
		ReserveAfterMs: new((5 * time.Second).Milliseconds()),
	})
	require.NoError(t, err)
	require.Equal(t, "label:team", res.GetPool().GetFairness())
	require.Equal(t, map[string]float64{"risk": 3}, res.GetPool().GetWeights())
	require.EqualValues(t, 5000, res.GetPool().GetReserveAfterMs())
	res, err = b.h.UpdatePool(ctx, &poolv1.UpdatePoolRequest{Name: "default", SetWeights: true, Fairness: new("workspace")})
	require.NoError(t, err)
	require.Empty(t, res.GetPool().GetWeights())
	require.True(t, queryOne[bool](b, `SELECT laned FROM pool WHERE name = 'default' LIMIT 1`, nil), "old lanes are still read")
	for name, req := range map[string]*poolv1.UpdatePoolRequest{
		"fairness": {Fairness: new("team")},
		"weight":   {Weights: map[string]float64{"a": 0}, SetWeights: true},
		"reserve":  {ReserveAfterMs: new(int64(-1))},
		"far":      {ReserveAfterMs: new(int64(1 << 62))},
	} {
		req.Name = "default"
		_, err := b.h.UpdatePool(ctx, req)
		require.Equal(t, pooldb.ReasonInvalid, fault.ReasonOf(err), name)
	}
}
