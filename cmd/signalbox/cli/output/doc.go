// Package output writes the answers of the service: as tables for people, as
// JSON, YAML or names for programs.
//
// It owns the formats and the spelling of times, durations, sizes and money.
// Machine formats show the API's answer with the API's own (JSON) field names
// and nothing left out; the three deviations from the API's JSON are those of
// object.go. It must not call the service and must not know any command.
package output
