package output

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/itchyny/gojq"
)

// ParseFilter compiles the program of --jq. It can read nothing but its input.
func ParseFilter(program string) (*gojq.Code, error) {
	query, err := gojq.Parse(program)
	if err != nil {
		return nil, fmt.Errorf("--jq: %w", err)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, fmt.Errorf("--jq: %w", err)
	}
	return code, nil
}

// filtered writes what the filter makes of v: strings as they are, as `jq -r`
// does, everything else in the printer's format.
func (p *Printer) filtered(v any) error {
	input, err := plain(v)
	if err != nil {
		return err
	}
	results := p.Filter.Run(input)
	for {
		out, ok := results.Next()
		if !ok {
			return nil
		}
		switch out := out.(type) {
		case error:
			return fmt.Errorf("--jq: %w", out)
		case string:
			_, _ = fmt.Fprintln(p.Out, out)
		default:
			if err := p.encode(out); err != nil {
				return err
			}
		}
	}
}

// plain is v in the types that the filter takes: maps, lists, strings, bools,
// ints where a number is whole, else float64.
func plain(v any) (any, error) {
	raw, err := marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write the answer: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var out any
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("write the answer: %w", err)
	}
	return numbers(out), nil
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}
