package plan

// Concurrency bounds how many runs of the pipeline go on at once.
type Concurrency struct {
	// Key is a template over open params: runs with the same key share one
	// bound. Empty: all runs of the pipeline do. The server evaluates it when a
	// run is started.
	Key string `json:"key,omitempty"`
	// Limit is how many may run at once, at least 1.
	Limit int `json:"limit"`
	// Policy is what becomes of a run that is one too many; empty means queue.
	Policy ConcurrencyPolicy `json:"policy,omitempty"`
}

// The limits of a Concurrency.
const (
	MaxConcurrency    = 1000
	MaxConcurrencyKey = 256 // bytes of an evaluated key
)

// ConcurrencyPolicy says what becomes of a run that is one too many.
type ConcurrencyPolicy string

// The policies.
const (
	PolicyQueue       ConcurrencyPolicy = "queue"          // it waits its turn
	PolicyQueueLatest ConcurrencyPolicy = "queue_latest"   // it waits, and drops those that wait already
	PolicyQueueFirst  ConcurrencyPolicy = "queue_first"    // it waits if nobody does, else it is dropped
	PolicyDropNew     ConcurrencyPolicy = "drop_new"       // it is dropped
	PolicyCancel      ConcurrencyPolicy = "cancel_running" // it takes the place of the oldest, which is canceled
	PolicyStrict      ConcurrencyPolicy = "strict"         // it waits; a failed run holds all others up
)

// ConcurrencyPolicies lists them.
func ConcurrencyPolicies() []ConcurrencyPolicy {
	return []ConcurrencyPolicy{PolicyQueue, PolicyQueueLatest, PolicyQueueFirst, PolicyDropNew, PolicyCancel, PolicyStrict}
}
