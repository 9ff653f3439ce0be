package output

import (
	"fmt"
	"slices"
	"strings"
)

// Format is how an answer is written.
type Format string

// The formats. Table is the default; Wide is a table with more columns; JSONL
// is one line of JSON for each item of a list.
const (
	Table Format = "table"
	Wide  Format = "wide"
	JSON  Format = "json"
	JSONL Format = "jsonl"
	YAML  Format = "yaml"
	Name  Format = "name"
)

// Formats lists all formats.
func Formats() []Format { return []Format{Table, Wide, JSON, JSONL, YAML, Name} }

// ParseFormat reads the value of --output.
func ParseFormat(text string) (Format, error) {
	if f := Format(text); slices.Contains(Formats(), f) {
		return f, nil
	}
	names := make([]string, 0, len(Formats()))
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return "", fmt.Errorf("--output: want one of %s, got %q", strings.Join(names, ", "), text)
}

// ForPeople reports whether the format is read by people.
func (f Format) ForPeople() bool { return f == Table || f == Wide }

// Structured reports whether the format is JSON or YAML, whole or by line.
func (f Format) Structured() bool { return f == JSON || f == JSONL || f == YAML }
