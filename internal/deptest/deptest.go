// Package deptest holds rules about the whole repository as tests: who may
// import whom, directly or not, how long a file may be, and that the reasons of
// faults exist. The linter checks the same walls for direct imports and says so
// earlier; here nothing that is reached in two steps escapes.
//
// The package has no code of its own and must not be imported.
package deptest
