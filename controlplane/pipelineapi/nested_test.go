package pipelineapi_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

// running is a pipeline of one task that runs another.
func running(name, other, more string) string {
	return strings.Join([]string{"signalbox: v1", "name: " + name, "tasks:", "  sub: {pipeline: " + other + more + "}", ""}, "\n")
}

func (b *bundle) refusal(ctx context.Context, source string) string {
	b.t.Helper()
	_, err := b.h.ApplyPipeline(ctx, &pipelinev1.ApplyPipelineRequest{Source: []byte(source)})
	refusal, ok := fault.As(err)
	require.True(b.t, ok, "%v", err)
	require.Len(b.t, refusal.Violations, 1)
	return refusal.Violations[0].Text
}

func TestANestedPipelineIsThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	require.Contains(t, b.refusal(ctx, running("top", "sub", "")), "there is no pipeline `sub` in this workspace")
	b.apply(b.neighbour(ctx), source("sub", "theirs"))
	require.Contains(t, b.refusal(ctx, running("top", "sub", "")), "there is no pipeline `sub`")
	first := b.apply(ctx, source("sub", "one")).GetVersion().GetDigest()
	pinned := b.apply(ctx, running("top", "sub", ", version: pinned"))
	b.apply(ctx, running("free", "sub", ""))
	b.apply(ctx, source("sub", "two"))
	require.False(t, b.apply(ctx, running("free", "sub", "")).GetCreated())
	again := b.apply(ctx, running("top", "sub", ", version: pinned"))
	require.True(t, again.GetCreated(), "it is pinned to what is deployed now")

	res, err := b.h.GetVersion(ctx, &pipelinev1.GetVersionRequest{Pipeline: "top", Digest: pinned.GetVersion().GetDigest()})
	require.NoError(t, err)
	var p plan.Plan
	require.NoError(t, json.Unmarshal(res.GetPlan(), &p))
	require.Equal(t, first, p.Tasks[0].Pipeline.Digest)
}

func TestPipelinesDoNotRunThemselves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	b.apply(ctx, source("a", "one"))
	b.apply(ctx, running("b", "a", ", version: pinned"))
	b.apply(ctx, running("c", "b", ""))
	require.Contains(t, b.refusal(ctx, running("a", "c", "")), "a → c → b → a")
	require.Contains(t, b.refusal(ctx, running("a", "a", "")), "a → a")
}

func TestPipelinesRunEachOtherEightDeep(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	b.apply(ctx, source("p0", "leaf"))
	names := "abcdefghi"
	below := "p0"
	for _, n := range names[:8] {
		b.apply(ctx, running("p"+string(n), below, ""))
		below = "p" + string(n)
	}
	require.Contains(t, b.refusal(ctx, running("top", below, "")), "too deeply")
}
