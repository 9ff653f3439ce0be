package cli

import (
	"errors"
	"fmt"

	"github.com/signalboxhq/signalbox/controlplane/pipeline"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	pipelinev1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/pipeline/v1"
)

// validateHere compiles with the server's own compiler, and without a server.
// What only a workspace knows, such as its pools, is not checked.
func validateHere(src source) (*pipelinev1.ValidatePipelineResponse, error) {
	compiled, err := pipeline.Compile(src.name, src.text)
	if problems, ok := errors.AsType[*pipeline.Problems](err); ok {
		res := &pipelinev1.ValidatePipelineResponse{}
		for i := range problems.List {
			p := &problems.List[i]
			res.Violations = append(res.Violations, &faultv1.Violation{
				Path: p.Path, Want: p.Want, Got: p.Got, Text: p.Sentence(),
				Line: uint32(p.Line), Column: uint32(p.Column), Excerpt: p.Excerpt,
			})
		}
		return res, nil
	}
	if err != nil {
		return nil, err
	}
	res := &pipelinev1.ValidatePipelineResponse{Name: compiled.Plan.Name, Digest: compiled.Digest.String()}
	for i := range compiled.Warnings {
		w := &compiled.Warnings[i]
		res.Warnings = append(res.Warnings, fmt.Sprintf("%s:%d:%d: %s", src.name, w.Line, w.Column, w.Sentence()))
	}
	return res, nil
}
