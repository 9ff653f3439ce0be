// Package expr is the language of expressions in pipelines: what `${{ }}` and
// `if:` may say, how it is checked, and what it gives.
//
// Expressions are CEL. They read
//
//	params.<name>                       a param of the run
//	tasks.<task>.outputs.<output>       an output of another task
//	tasks.<task>.artifacts.<artifact>   the URI of another task's artifact
//	tasks.<task>.state                  how it ended: succeeded, failed, skipped, …
//	item                                the item of a fan-out
//	outputs.<output>                    what a pass of a loop left, in its `until`
//	run.<field>                         id, number, pipeline, version, url; outcome in exit handlers
//
// and nothing else: no secrets, no environment, no clock, no randomness. A name
// with a dash is written params["learning-rate"]. has(tasks.a.outputs.x) asks
// whether an output is there; it is not where the task was skipped.
//
// Three steps, each usable alone:
//
//	ParseTemplate("n=${{ params.n }}")   text into literals and expressions
//	Env.CompileTemplate, Env.Compile     names, types and references, at upload
//	Eval                                 the value, where the inputs can be read
//
// The control plane does the first two for every pipeline, so that a wrong name
// or type is an error of `apply` and not of a run at night. The third is for the
// agents; the control plane evaluates only what names nothing but open params.
// Both use this package, so both mean the same. A function that is added here is
// known to new agents only: it changes the contract.
//
// A value goes in and comes out as canonical JSON of its declared type
// (plan.Type). The types are CEL's, except that
//
//   - float is CEL's double, json its dyn, uri and artifacts are strings;
//   - what the children of a map leave together is a list of their outputs, null
//     for a child that left nothing: filter(x, x != null) drops those;
//   - whole numbers within a json value are ints, all others floats.
//
// Each evaluation has a limit of cost (CostLimit) and of the size of its result
// (plan.MaxValueBytes), and ends for every input.
//
// Errors of compilation are for the author and say where (Error.Offset), what,
// and which names are near. Errors of evaluation may repeat values: seal them.
//
// The package does no I/O.
package expr
