package pooldb

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"
)

// FairWorkspace is the fairness of a pool with one lane.
const FairWorkspace = "workspace"

// The limits of how a pool shares.
const (
	maxWeights      = 100
	maxWeight       = 1_000_000
	maxReserveAfter = 7 * 24 * time.Hour
)

var fairness = regexp.MustCompile(`^(workspace|label:[a-z0-9_.-]{1,63})$`)

// checkShare refuses what the dispatcher could not keep.
func (u *Update) checkShare() error {
	if u.Fairness != nil && !fairness.MatchString(*u.Fairness) {
		return invalid("fairness", "workspace or label:NAME")
	}
	if len(u.Weights) > maxWeights {
		return invalid("weights", fmt.Sprintf("at most %d", maxWeights))
	}
	for _, k := range slices.Sorted(maps.Keys(u.Weights)) {
		if w := u.Weights[k]; !(w > 0 && w <= maxWeight) || !utf8.ValidString(k) || utf8.RuneCountInString(k) > 256 {
			return invalid("weights", fmt.Sprintf("more than 0 and at most %d, of values of at most 256 characters", maxWeight))
		}
	}
	if u.ReserveAfter != nil && (*u.ReserveAfter < 0 || *u.ReserveAfter > maxReserveAfter) {
		return invalid("reserve_after_ms", "0 to a week")
	}
	return nil
}

// weights is nil for those that stay.
func (u *Update) weights() any {
	if u.Weights == nil {
		return nil
	}
	return u.Weights
}

func (u *Update) reserveMS() *int64 {
	if u.ReserveAfter == nil {
		return nil
	}
	return new(u.ReserveAfter.Milliseconds())
}
