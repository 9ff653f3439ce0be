package pipelineapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signalboxhq/signalbox/controlplane/pipeline"
	"github.com/signalboxhq/signalbox/controlplane/pipelinedb"
	"github.com/signalboxhq/signalbox/internal/fault"
	faultv1 "github.com/signalboxhq/signalbox/proto/gen/signalbox/fault/v1"
	"github.com/signalboxhq/signalbox/tenancy/caller"
)

// compile compiles a caller's file when it is their turn.
func (h *Handler) compile(ctx context.Context, name string, source []byte) (*pipeline.Compiled, error) {
	leave, err := h.turns.take(ctx, caller.From(ctx).OrgID)
	if err != nil {
		return nil, err
	}
	defer leave()
	known, err := h.known(ctx, caller.From(ctx), source)
	if err != nil {
		return nil, err
	}
	return compile(name, source, known)
}

// compile turns the compiler's problems into a fault with a violation for each.
func compile(name string, source []byte, known pipeline.Known) (*pipeline.Compiled, error) {
	compiled, err := pipeline.CompileWith(filename(name), source, known)
	var problems *pipeline.Problems
	if !errors.As(err, &problems) {
		return compiled, err
	}
	violations := make([]fault.Violation, len(problems.List))
	for i := range problems.List {
		violations[i] = violation(&problems.List[i])
	}
	return nil, fault.Invalid(pipelinedb.ReasonPipeline, "%s", summary(problems)).With(violations...)
}

func summary(p *pipeline.Problems) string {
	switch n := len(p.List) + p.Omitted; {
	case n == 1:
		return "the pipeline file has 1 problem"
	case p.Omitted > 0:
		return fmt.Sprintf("the pipeline file has %d problems; these are the first %d", n, len(p.List))
	default:
		return fmt.Sprintf("the pipeline file has %d problems", n)
	}
}

func violation(p *pipeline.Problem) fault.Violation {
	return fault.Violation{
		Path: p.Path, Want: p.Want, Got: p.Got, Text: p.Sentence(),
		Line: p.Line, Column: p.Column, Excerpt: p.Excerpt,
	}
}

// violationsOf returns the violations of a source that does not compile.
func violationsOf(err error) ([]*faultv1.Violation, bool) {
	refusal, ok := fault.As(err)
	if !ok || refusal.Reason != pipelinedb.ReasonPipeline {
		return nil, false
	}
	out := make([]*faultv1.Violation, len(refusal.Violations))
	for i, v := range refusal.Violations {
		out[i] = &faultv1.Violation{
			Path: v.Path, Want: v.Want, Got: v.Got, Text: v.Text,
			Line: uint32(v.Line), Column: uint32(v.Column), Excerpt: v.Excerpt,
		}
	}
	return out, true
}

func warnings(name string, c *pipeline.Compiled) []string {
	var out []string
	for i := range c.Warnings {
		out = append(out, strings.TrimSuffix(c.Warnings[i].Text(filename(name)), "\n"))
	}
	return out
}

func poolWarnings(missing []string) []string {
	var out []string
	for _, pool := range missing {
		out = append(out, fmt.Sprintf("there is no pool %q; create it with `signalbox pool create %s` before you apply", pool, pool))
	}
	return out
}

// filename is what error texts call the file: the client's word for it, within
// reason.
func filename(name string) string {
	const most = 200
	if name == "" || len(name) > most || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "pipeline.yaml"
	}
	return name
}
