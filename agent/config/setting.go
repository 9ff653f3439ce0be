package config

import (
	"reflect"
	"strings"
)

// Prefix begins the names of the environment variables.
const Prefix = "SIGNALBOX_AGENT_"

// setting is one field of Config, seen by its names.
type setting struct {
	index  int
	env    string // without the prefix
	usage  string
	isBool bool
	isMany bool // a list or a table: each repetition of its flag adds to it
}

func (s setting) key() string  { return strings.ToLower(s.env) }
func (s setting) flag() string { return strings.ReplaceAll(s.key(), "_", "-") }

// settings lists the fields in their order.
func settings() []setting {
	var all []setting
	for i, field := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		all = append(all, setting{
			index: i, env: name, usage: field.Tag.Get("usage"), isBool: field.Type.Kind() == reflect.Bool,
			isMany: field.Type.Kind() == reflect.Slice || field.Type.Kind() == reflect.Map,
		})
	}
	return all
}
