package pipelineapi_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/internal/fault"
	"github.com/signalboxhq/signalbox/internal/pgtest"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	"github.com/signalboxhq/signalbox/proto/plan"
)

func TestApplyStoresAndDeploys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	first := b.apply(ctx, source("hello", "one"))
	require.True(t, first.GetCreated())
	require.True(t, first.GetVersion().GetDeployed())
	require.Equal(t, first.GetVersion().GetDigest(), first.GetPipeline().GetDeployedVersion())
	require.Equal(t, "Mara of acme", first.GetVersion().GetCreatedBy())
	require.EqualValues(t, 1, first.GetPipeline().GetVersions())

	var again *pipelinev1.ApplyPipelineResponse
	require.Empty(t, pgtest.Changes(t, b.db, func() { again = b.apply(ctx, source("hello", "one")) }), "the same source changes nothing")
	require.False(t, again.GetCreated())
	require.Equal(t, first.GetVersion().GetDigest(), again.GetVersion().GetDigest())

	got, err := b.h.GetVersion(ctx, &pipelinev1.GetVersionRequest{Pipeline: "hello"})
	require.NoError(t, err)
	require.Equal(t, source("hello", "one"), string(got.GetSource()))
	require.Equal(t, first.GetVersion().GetDigest(), plan.DigestOf(got.GetPlan()).String())
}

func TestApplyWithoutDeployingLeavesThePointer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	req := &pipelinev1.ApplyPipelineRequest{Source: []byte(source("hello", "one")), NoDeploy: true}
	res, err := b.h.ApplyPipeline(ctx, req)
	require.NoError(t, err)
	require.True(t, res.GetCreated())
	require.False(t, res.GetVersion().GetDeployed())
	require.Empty(t, res.GetPipeline().GetDeployedVersion())

	_, err = b.h.GetVersion(ctx, &pipelinev1.GetVersionRequest{Pipeline: "hello"})
	require.Equal(t, fault.Reason("VERSION_NOT_DEPLOYED"), fault.ReasonOf(err))

	deployed, err := b.h.DeployVersion(ctx, &pipelinev1.DeployVersionRequest{Pipeline: "hello", Digest: res.GetVersion().GetDigest()[:8]})
	require.NoError(t, err)
	require.Equal(t, res.GetVersion().GetDigest(), deployed.GetPipeline().GetDeployedVersion())
}

func TestDeployRollsBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	old := b.apply(ctx, source("hello", "one")).GetVersion().GetDigest()
	b.apply(ctx, source("hello", "two"))
	req := &pipelinev1.DeployVersionRequest{Pipeline: "hello", Digest: old}
	res, err := b.h.DeployVersion(ctx, req)
	require.NoError(t, err)
	require.Equal(t, old, res.GetPipeline().GetDeployedVersion())
	require.Empty(t, pgtest.Changes(t, b.db, func() {
		_, err := b.h.DeployVersion(ctx, req)
		require.NoError(t, err)
	}))

	list, err := b.h.ListVersions(ctx, &pipelinev1.ListVersionsRequest{Pipeline: "hello"})
	require.NoError(t, err)
	require.Len(t, list.GetVersions(), 2)
	require.Equal(t, old, list.GetVersions()[1].GetDigest(), "newest first")
	require.True(t, list.GetVersions()[1].GetDeployed())

	var actions []string
	rows, err := b.db.Engine.Query(ctx, `SELECT action FROM audit_entry ORDER BY seq`)
	require.NoError(t, err)
	for rows.Next() {
		var action string
		require.NoError(t, rows.Scan(&action))
		actions = append(actions, action)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []string{"pipeline.apply", "pipeline.deploy", "pipeline.apply", "pipeline.deploy", "pipeline.deploy"}, actions)
}

func TestVersionsAreFoundByTheirBeginning(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	digest := b.apply(ctx, source("hello", "one")).GetVersion().GetDigest()
	for _, length := range []int{8, 9, 31, 64} {
		res, err := b.h.GetVersion(ctx, &pipelinev1.GetVersionRequest{Pipeline: "hello", Digest: digest[:length]})
		require.NoError(t, err)
		require.Equal(t, digest, res.GetVersion().GetDigest())
	}
	for text, want := range map[string]fault.Reason{
		digest[:7]:     "INVALID_ARGUMENT",
		digest + "0":   "INVALID_ARGUMENT",
		"ABCDEF0123":   "INVALID_ARGUMENT",
		"no-hex-at-al": "INVALID_ARGUMENT",
		"0123456789":   "NOT_FOUND",
	} {
		_, err := b.h.GetVersion(ctx, &pipelinev1.GetVersionRequest{Pipeline: "hello", Digest: text})
		require.Equal(t, want, fault.ReasonOf(err), text)
	}
	b.exec(`INSERT INTO version (org_id, pipeline_id, digest, plan, source)
		SELECT org_id, pipeline_id, substring(digest FOR 31) || '\x00'::bytea, '', '' FROM version WHERE substring(digest FROM 32) <> '\x00'::bytea`, nil)
	_, err := b.h.GetVersion(ctx, &pipelinev1.GetVersionRequest{Pipeline: "hello", Digest: digest[:12]})
	require.ErrorContains(t, err, "give more digits")
}

func TestProblemsBecomeViolations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	const broken = "signalbox: v1\nname: bad\nlables: {a: b}\ntasks:\n  say: {command: [echo], needs: [nobody]}\n"
	_, err := b.h.ApplyPipeline(ctx, &pipelinev1.ApplyPipelineRequest{Source: []byte(broken), Filename: "bad.yaml"})
	require.Equal(t, fault.KindInvalid, fault.KindOf(err))
	require.Equal(t, fault.Reason("PIPELINE_INVALID"), fault.ReasonOf(err))
	refusal, _ := fault.As(err)
	require.Len(t, refusal.Violations, 2)
	v := refusal.Violations[0]
	require.Equal(t, 3, v.Line)
	require.Equal(t, 1, v.Column)
	require.Contains(t, v.Text, "did you mean")
	require.Contains(t, v.Excerpt, "lables")
	require.Contains(t, v.Excerpt, "^")

	res, err := b.h.ValidatePipeline(ctx, &pipelinev1.ValidatePipelineRequest{Source: []byte(broken)})
	require.NoError(t, err)
	require.Len(t, res.GetViolations(), 2)
	require.Empty(t, res.GetDigest())
}

func TestApplyNamesTheMissingPool(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := b.tenant("acme")
	const far = "signalbox: v1\nname: far\npool: gpu-eu\ntasks:\n  a: {command: [echo]}\n  b: {command: [echo], pool: default}\n"
	_, err := b.h.ApplyPipeline(ctx, &pipelinev1.ApplyPipelineRequest{Source: []byte(far)})
	require.Equal(t, fault.KindFailedPrecondition, fault.KindOf(err))
	require.Equal(t, fault.Reason("PIPELINE_INVALID"), fault.ReasonOf(err))
	refusal, _ := fault.As(err)
	require.Len(t, refusal.Violations, 1)
	require.Contains(t, refusal.Violations[0].Text, "`signalbox pool create gpu-eu`")
	require.Equal(t, "tasks.a.pool", refusal.Violations[0].Path)

	res, err := b.h.ValidatePipeline(ctx, &pipelinev1.ValidatePipelineRequest{Source: []byte(far)})
	require.NoError(t, err)
	require.NotEmpty(t, res.GetDigest())
	require.Contains(t, res.GetWarnings()[len(res.GetWarnings())-1], "`signalbox pool create gpu-eu`")
}

func TestForeignPipelinesAreMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mine := b.tenant("acme")
	digest := b.apply(mine, source("secret", "one")).GetVersion().GetDigest()
	for name, ctx := range map[string]context.Context{"organization": b.tenant("rival"), "workspace": b.neighbour(mine)} {
		for call, fn := range map[string]func(pipeline string) error{
			"GetPipeline": func(p string) error {
				_, err := b.h.GetPipeline(ctx, &pipelinev1.GetPipelineRequest{Name: p})
				return err
			},
			"ListVersions": func(p string) error {
				_, err := b.h.ListVersions(ctx, &pipelinev1.ListVersionsRequest{Pipeline: p})
				return err
			},
			"GetVersion": func(p string) error {
				_, err := b.h.GetVersion(ctx, &pipelinev1.GetVersionRequest{Pipeline: p, Digest: digest})
				return err
			},
			"DeployVersion": func(p string) error {
				_, err := b.h.DeployVersion(ctx, &pipelinev1.DeployVersionRequest{Pipeline: p, Digest: digest})
				return err
			},
		} {
			foreign, missing := fn("secret"), fn("nobody")
			require.Equal(t, fault.KindNotFound, fault.KindOf(foreign), "%s of another %s", call, name)
			require.Equal(t, fault.NotFound("pipeline", "secret").Text, foreign.Error())
			require.Equal(t, fault.NotFound("pipeline", "nobody").Text, missing.Error())
		}
		list, err := b.h.ListPipelines(ctx, &pipelinev1.ListPipelinesRequest{})
		require.NoError(t, err)
		require.Empty(t, list.GetPipelines())
		require.True(t, b.apply(ctx, source("secret", "one")).GetCreated(), "a name of one's own")
	}
	list, err := b.h.ListPipelines(mine, &pipelinev1.ListPipelinesRequest{})
	require.NoError(t, err)
	require.Len(t, list.GetPipelines(), 1)
}
