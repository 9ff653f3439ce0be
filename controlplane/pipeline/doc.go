// Package pipeline compiles the native pipeline format: the bytes of one YAML
// file go in, a [plan.Plan] or the list of everything that is wrong comes out.
//
// It owns the format: its keys, its names and limits, its defaults, what is
// inferred and what is refused. It is pure. It reads no files, no clock and no
// environment, and the same bytes always give the same plan and digest, whatever
// machine or order of map iteration. So server, `signalbox validate` and tests
// judge a file alike.
//
// The way through the package: [Compile] parses the source into a tree of YAML
// nodes that keep their positions and their spelling (parse.go); the readers turn
// nodes into the typed parts of a plan (pipeline.go, task.go, …), never stopping at
// a fault; then references between tasks are resolved, typed and sorted into
// dependencies (reference.go, graph.go). What a key means stands in the file named
// after it; which keys exist stands in keys.go, and the published JSON Schema
// (docs/schema/pipeline.schema.json) is held against that table by a test.
//
// A key of the format that is not built yet is refused by name, never ignored: a
// pipeline that runs without its `gang` or its `cache` is worse than one that does
// not start.
package pipeline
