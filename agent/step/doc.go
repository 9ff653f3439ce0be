// Package step is the protocol between a step and its agent: files and
// environment, for any language (format.md §3).
//
// One attempt has one folder of its own:
//
//	<root>/work           where it starts, unless the pipeline has a source
//	<root>/inputs/<NAME>  $SB_INPUTS    each value, also in the environment
//	<root>/outputs/<name> $SB_OUTPUTS   each declared output
//	<root>/in/<name>      $SB_IN        artifacts of other tasks
//	<root>/out/<name>     $SB_OUT       artifacts of this one
//	<root>/scratch        $SB_SCRATCH   empty, and gone afterwards
//	<root>/summary.md     $SB_SUMMARY   markdown
//	<root>/metrics.jsonl  $SB_METRICS   JSON lines of numbers
//	<root>/progress       $SB_PROGRESS  its last line: 42/100 training
//	<root>/error          $SB_ERROR     a line for a person, `retryable: false`
//	<root>/plan.jsonl     $SB_PLAN      tasks to be added to the run
//
// The package prepares that folder, reads what a step left in it, and says what
// a step's end means (Judge). It knows values only as bytes of their declared
// types: it opens and seals nothing, and sends nothing.
//
// What it says about a failure comes in two parts: a reason that may be seen by
// the control plane, and a detail that may repeat values and must be sealed.
package step
