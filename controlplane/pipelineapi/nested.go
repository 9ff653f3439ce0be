package pipelineapi

import (
	"context"

	"github.com/signalboxhq/signalbox/controlplane/pipeline"
	"github.com/signalboxhq/signalbox/controlplane/pipelinedb"
	"github.com/signalboxhq/signalbox/proto/plan"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// known looks up the pipelines that a file's tasks run, and those below them, a
// level at a time.
func (h *Handler) known(ctx context.Context, by caller.Caller, source []byte) (pipeline.Known, error) {
	all := map[pipelinedb.Wanted]*pipeline.Child{}
	top := pipeline.Known{}
	var level []pipelinedb.Wanted
	for _, name := range pipeline.Names(source) {
		level = append(level, pipelinedb.Wanted{Name: name})
	}
	direct := level
	for depth := 0; len(level) > 0 && depth <= pipeline.MaxRunDepth; depth++ {
		found, err := h.store.Known(ctx, by, level)
		if err != nil {
			return nil, err
		}
		level = nil
		for _, k := range found {
			child := &pipeline.Child{}
			all[k.Wanted] = child
			if k.Plan == nil {
				continue
			}
			copy(child.Digest[:], k.Digest)
			if child.Plan, err = plan.Decode(k.Plan); err != nil {
				return nil, err
			}
			for _, below := range wantedBy(child.Plan) {
				if _, seen := all[below]; !seen {
					all[below] = nil
					level = append(level, below)
				}
			}
		}
	}
	for _, child := range all {
		if child == nil || child.Plan == nil {
			continue
		}
		child.Below = pipeline.Known{}
		for _, below := range wantedBy(child.Plan) {
			child.Below[below.Name] = all[below]
		}
	}
	for _, w := range direct {
		if child := all[w]; child != nil {
			top[w.Name] = child
		}
	}
	return top, nil
}

// wantedBy lists what the tasks of a plan run.
func wantedBy(p *plan.Plan) []pipelinedb.Wanted {
	var out []pipelinedb.Wanted
	for i := range p.Tasks {
		if n := p.Tasks[i].Pipeline; n != nil {
			out = append(out, pipelinedb.Wanted{Name: n.Name, Digest: n.Digest})
		}
	}
	return out
}
