// Package usage turns what happened into quantities of meters: pure, so that
// the same function counts in the journal's transaction and re-derives an
// invoice from the journal years later.
//
// The usage event is the journal's entry that ends an attempt. There is one end
// per lease, so an attempt is counted at most once; the sums that a batch
// stores are those of its entries, so the journal summed by the same key always
// equals what is stored (tenancy-and-money.md D).
//
// It must know no prices (that is billing/rating) and must not round: a
// quantity is whole milliseconds or a count. It does not know the control
// plane: facts come in as this package's own types.
package usage
