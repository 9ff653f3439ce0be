// Package authz says who may do what, as data.
//
// It owns the permissions, the built-in roles and the one question of the
// authorization interceptor: Check(principal, permission, scope). It must not
// know where a principal comes from, read a clock, or do I/O.
//
// A permission is held in a scope. In the organization's scope it covers what
// the whole organization shares (members, the bill); in a workspace's scope it
// covers that workspace. Who holds an organization's role holds in each
// workspace what the role's workspace column says; a grant in a workspace adds
// to it and never takes away. Keys hold at most what a service account may
// ever hold, whatever role they were given.
//
// Everything that is not granted is denied. What a caller cannot see at all is
// Hidden, and must be answered exactly like a thing that does not exist.
package authz
