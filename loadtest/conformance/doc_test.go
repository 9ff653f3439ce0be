// Package conformance_test proves what the product says of itself, as a user
// would see it: real server, PostgreSQL and agents, the command line, and small
// pipelines. Each case is one check of one capability.
//
// It knows the programs and the contract, and nothing of their insides. `go test`
// runs the short cases; `make conformance` all of them, and prints a table.
package conformance_test
