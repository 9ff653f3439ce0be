package schedule

import (
	"fmt"
	"slices"
	"strings"
)

// Overlap says what happens to a fire while a run of the same schedule has not
// ended yet.
type Overlap string

// The policies. Without one, runs may overlap.
const (
	OverlapAllow         Overlap = "allow"
	OverlapQueue         Overlap = "queue"          // one after the other
	OverlapQueueLatest   Overlap = "queue_latest"   // only the newest waits
	OverlapQueueFirst    Overlap = "queue_first"    // only the oldest waits
	OverlapDropNew       Overlap = "drop_new"       // nobody waits
	OverlapCancelRunning Overlap = "cancel_running" // the newest takes its place
)

// overlapStrict is known, and refused: its next run waits for a retry of the
// failed one, which only the concurrency of runs can tell.
const overlapStrict = "strict"

// Overlaps lists the policies.
func Overlaps() []Overlap {
	return []Overlap{OverlapAllow, OverlapQueue, OverlapQueueLatest, OverlapQueueFirst, OverlapDropNew, OverlapCancelRunning}
}

// ParseOverlap reads a policy; empty is allow.
func ParseOverlap(text string) (Overlap, error) {
	if text == "" {
		return OverlapAllow, nil
	}
	if slices.Contains(Overlaps(), Overlap(text)) {
		return Overlap(text), nil
	}
	names := make([]string, len(Overlaps()))
	for i, o := range Overlaps() {
		names[i] = string(o)
	}
	if text == overlapStrict {
		return "", fmt.Errorf("the overlap `strict` is not supported yet for schedules; write %s", strings.Join(names, ", "))
	}
	return "", fmt.Errorf("%q is no overlap; write %s", clip(text), strings.Join(names, ", "))
}

// Verdict is what becomes of a fire that waits.
type Verdict uint8

// The verdicts.
const (
	Wait Verdict = iota
	Start
	Drop
)

// Decide judges the fires that wait, oldest first, while active runs of the
// schedule have not ended. It also says whether those are to be canceled. All
// but allow let one run at a time.
func (o Overlap) Decide(waiting, active int) (verdicts []Verdict, cancel bool) {
	verdicts = make([]Verdict, waiting)
	if waiting == 0 {
		return verdicts, false
	}
	rest := verdicts
	if active == 0 && o != OverlapCancelRunning {
		verdicts[0], rest = Start, verdicts[1:]
	}
	switch o {
	case OverlapAllow:
		fill(verdicts, Start)
	case OverlapQueue: // they wait
	case OverlapQueueLatest:
		fill(rest[:max(len(rest)-1, 0)], Drop)
	case OverlapQueueFirst:
		fill(rest[min(len(rest), 1):], Drop)
	case OverlapDropNew:
		fill(rest, Drop)
	case OverlapCancelRunning:
		last := waiting - 1
		fill(verdicts[:last], Drop)
		if active == 0 {
			verdicts[last] = Start
		}
		return verdicts, active > 0
	}
	return verdicts, false
}

func fill(list []Verdict, v Verdict) {
	for i := range list {
		list[i] = v
	}
}
