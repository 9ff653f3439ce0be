package pipelineapi

import (
	"context"

	"github.com/signalboxhq/signalbox/controlplane/advance"
	"github.com/signalboxhq/signalbox/controlplane/pipelinedb"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
	"github.com/signalboxhq/signalbox/proto/id"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// Advancer has those runs begin that waited for their pipeline.
type Advancer interface {
	Wake(ctx context.Context, w advance.Wake) error
}

// PausePipeline keeps new runs from beginning.
func (h *Handler) PausePipeline(ctx context.Context, req *pipelinev1.PausePipelineRequest) (*pipelinev1.PausePipelineResponse, error) {
	p, err := h.pause(ctx, req.GetPipeline(), true)
	if err != nil {
		return nil, err
	}
	return &pipelinev1.PausePipelineResponse{Pipeline: pipelineMessage(p)}, nil
}

// ResumePipeline lets those begin that waited.
func (h *Handler) ResumePipeline(ctx context.Context, req *pipelinev1.ResumePipelineRequest) (*pipelinev1.ResumePipelineResponse, error) {
	p, err := h.pause(ctx, req.GetPipeline(), false)
	if err != nil {
		return nil, err
	}
	return &pipelinev1.ResumePipelineResponse{Pipeline: pipelineMessage(p)}, nil
}

func (h *Handler) pause(ctx context.Context, name string, paused bool) (pipelinedb.Pipeline, error) {
	by := caller.From(ctx)
	p, wake, err := h.store.Pause(ctx, by, name, paused)
	if err != nil || wake == id.Nil {
		return p, err
	}
	// What is not served now is found by whoever ticks: its row is written.
	_ = h.advancer.Wake(ctx, advance.Wake{Org: by.OrgID, ID: wake, Kind: advance.WakeResume, Pipeline: p.ID})
	return p, nil
}
