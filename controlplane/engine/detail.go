package engine

import (
	"encoding/json"
	"fmt"
)

// Detail is what only rare kinds of entries carry.
type Detail struct {
	// Of KindTaskDecided: how many items a map has, when a wait ends.
	Count int32     `json:"count,omitempty"`
	Until UnixMilli `json:"until,omitempty"`
	// Of KindTaskExpanded: Count items from this one on.
	First int32 `json:"first,omitempty"`
	// Of KindItemsStopped: tasks that go on, because somebody runs them.
	Except []int32 `json:"except,omitempty"`
	// Of KindTaskDecided: items that another run left.
	Reused []SeedItem `json:"reused,omitempty"`
	// Of KindRunSeeded.
	Seed *Seed `json:"seed,omitempty"`
	// Of KindAttemptEnded and KindMemberEnded: the tasks that the step added.
	Members []Member `json:"members,omitempty"`
	// Of KindSignalReceived: which signal.
	Name string `json:"name,omitempty"`
	Key  string `json:"key,omitempty"`
	// Of KindTaskEnded: the entry whose body is this one's too, the signal that
	// the task took.
	From int64 `json:"from,omitempty"`
	// Of KindMemberEnded: which member, and whether it ruled out another attempt.
	Rank  int32 `json:"rank,omitempty"`
	Final bool  `json:"final,omitempty"`
	// Of a gang's KindAttemptEnded: how many members there were, what they took
	// together, and the entry of the member whose body is this one's too.
	Gang   int32 `json:"gang,omitempty"`
	Member int64 `json:"member,omitempty"`
	BusyMS int64 `json:"busy_ms,omitempty"`
}

// Encode is the detail as the journal's column keeps it; nil for none.
func (d *Detail) Encode() ([]byte, error) {
	if d == nil {
		return nil, nil
	}
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode detail: %w", err)
	}
	return b, nil
}

// DecodeDetail reads what Encode wrote.
func DecodeDetail(b []byte) (*Detail, error) {
	if len(b) == 0 {
		return nil, nil
	}
	d := &Detail{}
	if err := json.Unmarshal(b, d); err != nil {
		return nil, fmt.Errorf("decode detail: %w", err)
	}
	return d, nil
}
