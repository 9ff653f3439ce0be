// Package e2e proves the product with real processes: servers, agents and the
// command line as they are shipped, on a real PostgreSQL. It also kills and
// freezes them.
//
// It holds tests and what they share, no code of the product. Each story that
// has a server runs twice: with one replica of it, and with two behind a proxy
// that sends every request to the other one in turn. Only the storm always has
// two.
package e2e
