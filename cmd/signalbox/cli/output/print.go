package output

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/itchyny/gojq"
	"google.golang.org/protobuf/proto"
)

// Printer writes answers in one format.
type Printer struct {
	Painter

	Out       io.Writer
	Format    Format
	NoHeaders bool
	// Filter is a jq program that structured output goes through; nil is none.
	Filter *gojq.Code
}

// Print writes an answer.
func (p *Printer) Print(v View) error {
	switch p.Format {
	case Table, Wide:
		for i, b := range v.Blocks {
			if i > 0 {
				_, _ = fmt.Fprintln(p.Out)
			}
			b.write(p.Out, p)
		}
		return nil
	case Name:
		for _, n := range v.Names {
			_, _ = fmt.Fprintln(p.Out, n)
		}
		return nil
	case JSONL:
		return p.lines(v)
	case JSON, YAML:
		return p.Value(Of(v.Answer))
	}
	return fmt.Errorf("no format %q", p.Format)
}

// Event writes one message of a stream. JSON is written by line here: a stream
// has no end that would close a list.
func (p *Printer) Event(m proto.Message) error {
	if p.Format == JSON {
		line := *p
		line.Format = JSONL
		return line.Value(Of(m))
	}
	return p.Value(Of(m))
}

// Value writes any value in a structured format, through the filter.
func (p *Printer) Value(v any) error {
	if p.Filter != nil {
		return p.filtered(v)
	}
	return p.encode(v)
}

func (p *Printer) lines(v View) error {
	items := v.Items
	if items == nil {
		items = []proto.Message{v.Answer}
	}
	for _, m := range items {
		if err := p.Value(Of(m)); err != nil {
			return err
		}
	}
	return nil
}

func (p *Printer) encode(v any) error {
	if p.Format == YAML {
		return writeYAML(p.Out, v)
	}
	enc := json.NewEncoder(p.Out)
	enc.SetEscapeHTML(false)
	if p.Format == JSON {
		enc.SetIndent("", "  ")
	}
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}
