package pipelineapi_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
)

// woken stands for the group commit.
type woken struct{ wakes []advance.Wake }

// Wake notes the wake.
func (w *woken) Wake(_ context.Context, wake advance.Wake) error {
	w.wakes = append(w.wakes, wake)
	return nil
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	b.apply(ctx, source("hello", "one"))
	count := func(sql string) (n int) {
		require.NoError(t, b.db.Engine.QueryRow(ctx, sql).Scan(&n))
		return n
	}
	for range 2 {
		res, err := b.h.PausePipeline(ctx, &pipelinev1.PausePipelineRequest{Pipeline: "hello"})
		require.NoError(t, err)
		require.True(t, res.GetPipeline().GetPaused())
	}
	require.Zero(t, count(`SELECT count(*) FROM wake`))
	res, err := b.h.ResumePipeline(ctx, &pipelinev1.ResumePipelineRequest{Pipeline: "hello"})
	require.NoError(t, err)
	require.False(t, res.GetPipeline().GetPaused())
	require.Equal(t, 1, count(`SELECT count(*) FROM wake WHERE kind = 'resume'`))
	require.Empty(t, pgtest.Changes(t, b.db, func() {
		_, err := b.h.ResumePipeline(ctx, &pipelinev1.ResumePipelineRequest{Pipeline: "hello"})
		require.NoError(t, err)
	}), "twice")
	require.Equal(t, 2, count(`SELECT count(*) FROM audit_entry WHERE action IN ('pipeline.pause', 'pipeline.resume')`))
	_, err = b.h.PausePipeline(b.tenant("other"), &pipelinev1.PausePipelineRequest{Pipeline: "hello"})
	require.Equal(t, fault.KindNotFound, fault.KindOf(err))
}
