// Package pipelineapi serves signalbox.pipeline.v1.PipelineService.
//
// It compiles the sources that clients send with controlplane/pipeline, so that
// every client is judged alike, and turns stored pipelines into messages. What
// is stored, and the rules about it, are controlplane/pipelinedb's.
package pipelineapi

import (
	"context"
	"io"
	"time"

	"github.com/signalboxhq/signalbox/controlplane/pipelinedb"
	"github.com/signalboxhq/signalbox/internal/pg"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	"github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1/pipelinev1connect"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Handler is the service.
type Handler struct {
	store    *pipelinedb.Store
	turns    *turns
	advancer Advancer
}

var _ pipelinev1connect.PipelineServiceHandler = (*Handler)(nil)

// New makes the service. random is crypto/rand.Reader and now is time.Now
// outside tests.
func New(db *pg.DB, advancer Advancer, random io.Reader, now func() time.Time) *Handler {
	return &Handler{store: pipelinedb.NewStore(db, random, now), turns: newTurns(), advancer: advancer}
}

// ApplyPipeline compiles a source, stores the version and deploys it.
func (h *Handler) ApplyPipeline(ctx context.Context, req *pipelinev1.ApplyPipelineRequest) (*pipelinev1.ApplyPipelineResponse, error) {
	compiled, err := h.compile(ctx, req.GetFilename(), req.GetSource())
	if err != nil {
		return nil, err
	}
	applied, err := h.store.Apply(ctx, caller.From(ctx), pipelinedb.Apply{
		Plan: compiled.Plan, Bytes: compiled.Bytes, Digest: compiled.Digest,
		Source: req.GetSource(), Filename: filename(req.GetFilename()), NoDeploy: req.GetNoDeploy(),
	})
	if err != nil {
		return nil, err
	}
	return &pipelinev1.ApplyPipelineResponse{
		Pipeline: pipelineMessage(applied.Pipeline), Version: versionMessage(applied.Version),
		Created: applied.Created, Warnings: warnings(req.GetFilename(), compiled),
	}, nil
}

// ValidatePipeline compiles and stores nothing. What is wrong with the file is
// its answer, not its error.
func (h *Handler) ValidatePipeline(ctx context.Context, req *pipelinev1.ValidatePipelineRequest) (*pipelinev1.ValidatePipelineResponse, error) {
	compiled, err := h.compile(ctx, req.GetFilename(), req.GetSource())
	if violations, ok := violationsOf(err); ok {
		return &pipelinev1.ValidatePipelineResponse{Violations: violations}, nil
	}
	if err != nil {
		return nil, err
	}
	missing, err := h.store.MissingPools(ctx, caller.From(ctx), compiled.Plan)
	if err != nil {
		return nil, err
	}
	return &pipelinev1.ValidatePipelineResponse{
		Name: compiled.Plan.Name, Digest: compiled.Digest.String(),
		Warnings: append(warnings(req.GetFilename(), compiled), poolWarnings(missing)...),
	}, nil
}

// ListPipelines lists the workspace's pipelines by name.
func (h *Handler) ListPipelines(ctx context.Context, _ *pipelinev1.ListPipelinesRequest) (*pipelinev1.ListPipelinesResponse, error) {
	list, err := h.store.ListPipelines(ctx, caller.From(ctx))
	if err != nil {
		return nil, err
	}
	res := &pipelinev1.ListPipelinesResponse{}
	for _, p := range list {
		res.Pipelines = append(res.Pipelines, pipelineMessage(p))
	}
	return res, nil
}

// GetPipeline returns one by name.
func (h *Handler) GetPipeline(ctx context.Context, req *pipelinev1.GetPipelineRequest) (*pipelinev1.GetPipelineResponse, error) {
	p, err := h.store.GetPipeline(ctx, caller.From(ctx), req.GetName())
	if err != nil {
		return nil, err
	}
	return &pipelinev1.GetPipelineResponse{Pipeline: pipelineMessage(p)}, nil
}

// ListVersions lists a pipeline's versions, newest first.
func (h *Handler) ListVersions(ctx context.Context, req *pipelinev1.ListVersionsRequest) (*pipelinev1.ListVersionsResponse, error) {
	list, err := h.store.ListVersions(ctx, caller.From(ctx), req.GetPipeline())
	if err != nil {
		return nil, err
	}
	res := &pipelinev1.ListVersionsResponse{}
	for _, v := range list {
		res.Versions = append(res.Versions, versionMessage(v))
	}
	return res, nil
}

// GetVersion returns a version with its source and plan.
func (h *Handler) GetVersion(ctx context.Context, req *pipelinev1.GetVersionRequest) (*pipelinev1.GetVersionResponse, error) {
	v, err := h.store.GetVersion(ctx, caller.From(ctx), req.GetPipeline(), req.GetDigest())
	if err != nil {
		return nil, err
	}
	return &pipelinev1.GetVersionResponse{Version: versionMessage(v.Version), Source: v.Source, Plan: v.Plan}, nil
}

// DeployVersion moves the pointer that new runs follow.
func (h *Handler) DeployVersion(ctx context.Context, req *pipelinev1.DeployVersionRequest) (*pipelinev1.DeployVersionResponse, error) {
	p, err := h.store.DeployVersion(ctx, caller.From(ctx), req.GetPipeline(), req.GetDigest())
	if err != nil {
		return nil, err
	}
	return &pipelinev1.DeployVersionResponse{Pipeline: pipelineMessage(p)}, nil
}
