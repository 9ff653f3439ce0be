// Package pin remembers which sealing key each workspace had when this program
// first sealed something to it, as ssh remembers the keys of hosts.
//
// The public key comes from the control plane. Whoever takes that over could
// offer a key of his own and read everything that is sealed from then on, so a
// key that changed is refused until a person has compared its fingerprint. The
// package owns the file known_keys.toml and must not call the service.
package pin
