// Package rating turns quantities into money: pure, so that the preview, the
// invoice and the tests compute with one function.
//
//	Rate(month, parts) → lines        Total(lines) → cents
//
// # Rules
//
//   - A month has one part for each subscription that was in force in it: a
//     card, from when to when, and what was used meanwhile. Usage is rated by
//     the card in force when it was recorded.
//   - A part has a line for its base fee and one for each meter of its card,
//     also where nothing was used: what is listed at no charge is listed.
//   - The base fee is prorated to the second; the included quantities are not.
//   - Tiers are graduated over the whole organization: each unit costs what its
//     own tier says. What lies below the first tier is included.
//   - Quantities and prices are whole numbers, and so is everything between:
//     a line is exact until it is rounded once, half to even, to cents. The
//     total is the sum of the lines' cents.
//
// Prices are quoted for so many units of a meter (a task-minute is 60,000
// milliseconds), because the price of one would be no whole number. Nothing is
// rounded per task, run or tier.
//
// The package must not know where cards and quantities are kept, and does no
// I/O. There is no floating-point number in it; a test keeps it so.
package rating
