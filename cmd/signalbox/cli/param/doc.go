// Package param turns what a person types after -p into the values of a start:
// typed by the pipeline's declaration, open where it says so, otherwise sealed.
//
// It owns the spelling of -p. Types are read by proto/plan, sealing is given to
// it. It must not call the service: a value that is to be sealed passes through
// here in the clear and must go nowhere else.
package param
