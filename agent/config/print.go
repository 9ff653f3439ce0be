package config

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalboxhq/signalbox/agent/secret"
)

// Print writes the configuration as a TOML file, secrets redacted, with the
// origin of each setting behind it if origins are wanted.
func (l *Loaded) Print(to io.Writer, origins bool) error {
	value := reflect.ValueOf(l.Config)
	for _, s := range settings() {
		text := fmt.Sprintf("%s = %s", s.key(), tomlOf(value.Field(s.index).Interface()))
		if origins {
			text = fmt.Sprintf("%-48s # %s", text, l.Origins[s.key()])
		}
		if _, err := fmt.Fprintln(to, text); err != nil {
			return err
		}
	}
	return nil
}

// LogValue shows what differs from the defaults, for the agent's first line.
func (l *Loaded) LogValue() slog.Value {
	value := reflect.ValueOf(l.Config)
	var attributes []slog.Attr
	for _, s := range settings() {
		if l.Origins[s.key()] != OriginDefault {
			attributes = append(attributes, slog.Any(s.key(), value.Field(s.index).Interface()))
		}
	}
	return slog.GroupValue(attributes...)
}

func tomlOf(value any) string {
	switch v := value.(type) {
	case secret.Value:
		if v.Reveal() == "" {
			return `""`
		}
		return strconv.Quote(v.String())
	case string:
		return strconv.Quote(v)
	case time.Duration:
		return strconv.Quote(v.String())
	case []string:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = strconv.Quote(part)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]string:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, strconv.Quote(key)+" = "+strconv.Quote(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(value)
}
