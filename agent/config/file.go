package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// readFile returns the settings of a TOML file by their env names, as texts.
func readFile(path string) (map[string]string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	var raw map[string]any
	if err := toml.Unmarshal(content, &raw); err != nil {
		if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
			row, column := wrong.Position()
			return nil, fmt.Errorf("configuration: %s, line %d, column %d: %w", path, row, column, err)
		}
		return nil, fmt.Errorf("configuration: %s: %w", path, err)
	}
	known := map[string]setting{}
	for _, s := range settings() {
		known[s.key()] = s
	}
	values := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		s, ok := known[key]
		if !ok {
			return nil, fmt.Errorf("configuration: %s: unknown key %q; the keys are %s",
				path, key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		text, err := textOf(raw[key])
		if err != nil {
			return nil, fmt.Errorf("configuration: %s: %s: %w", path, key, err)
		}
		values[s.env] = text
	}
	return values, nil
}

// textOf writes a TOML value as it would stand in an environment variable.
func textOf(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case bool:
		return strconv.FormatBool(v), nil
	case []any:
		parts := make([]string, len(v))
		for i, element := range v {
			text, ok := element.(string)
			if !ok || strings.Contains(text, ",") {
				return "", errors.New("want a list of strings without commas")
			}
			parts[i] = text
		}
		return strings.Join(parts, ","), nil
	case map[string]any:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			text, ok := v[key].(string)
			if !ok || strings.ContainsAny(text, ",=") || strings.ContainsAny(key, ",=") {
				return "", errors.New("want a table of strings without commas and equal signs")
			}
			parts = append(parts, key+"="+text)
		}
		return strings.Join(parts, ","), nil
	}
	return "", fmt.Errorf("a value of this kind (%T) is not expected", value)
}
