// Package leasecheck decides whether a recorded history of leases could have
// come from one register that does one thing at a time: linearizability.
//
// It owns the model: what a grant, a report, a loss and an end by force may
// answer, in which order, if each takes effect at one moment between its call
// and its return. It knows nothing of how histories are recorded, nor of
// databases; it is for tests and the chaos runs only.
//
// The register of a task holds one lease or none. A report of the lease that it
// holds is accepted and empties it; the same report later is accepted again; any
// other is stale. Who saw no answer may have done it or not, then or at any
// later time.
package leasecheck
