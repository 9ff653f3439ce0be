package step

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Identity is what a step may know of itself.
type Identity struct {
	RunID      string
	RunURL     string
	RunOutcome string // exit handlers only
	Task       string
	Attempt    uint32
	Indexes    []uint32 // of the items and passes that it is for, outermost first
	Pipeline   string
	Version    string
	Deadline   time.Time // zero without one
	Labels     map[string]string
	Gang       *Gang // nil: the attempt is no gang's
	// Of a scheduled run only.
	Nominal, IntervalStart, IntervalEnd time.Time
}

// Environ is the part of a step's environment that the protocol defines.
// Labels are one JSON object, since a label may hold any text.
func (f *Folder) Environ(id Identity) ([]string, error) {
	if id.Labels == nil {
		id.Labels = map[string]string{}
	}
	labels, err := json.Marshal(id.Labels)
	if err != nil {
		return nil, fmt.Errorf("write SB_LABELS: %w", err)
	}
	env := []string{
		"SB_RUN_ID=" + id.RunID,
		"SB_RUN_URL=" + id.RunURL,
		"SB_TASK=" + id.Task,
		"SB_ATTEMPT=" + strconv.FormatUint(uint64(id.Attempt), 10),
		"SB_PIPELINE=" + id.Pipeline,
		"SB_VERSION=" + id.Version,
		"SB_LABELS=" + string(labels),
		"SB_INPUTS=" + f.path("inputs"),
		"SB_OUTPUTS=" + f.path("outputs"),
		"SB_IN=" + f.path("in"),
		"SB_OUT=" + f.path("out"),
		"SB_SCRATCH=" + f.path("scratch"),
		"SB_SUMMARY=" + f.path("summary.md"),
		"SB_METRICS=" + f.path("metrics.jsonl"),
		"SB_PROGRESS=" + f.path("progress"),
		"SB_ERROR=" + f.path("error"),
		"SB_PLAN=" + f.path(planFile),
	}
	if len(id.Indexes) > 0 {
		texts := make([]string, len(id.Indexes))
		for i, index := range id.Indexes {
			texts[i] = strconv.FormatUint(uint64(index), 10)
		}
		env = append(env, "SB_INDEX="+strings.Join(texts, ","))
	}
	if !id.Deadline.IsZero() {
		env = append(env, "SB_DEADLINE="+id.Deadline.UTC().Format(time.RFC3339))
	}
	if !id.Nominal.IsZero() {
		env = append(env, "SB_NOMINAL="+id.Nominal.UTC().Format(time.RFC3339Nano),
			"SB_INTERVAL_START="+id.IntervalStart.UTC().Format(time.RFC3339Nano),
			"SB_INTERVAL_END="+id.IntervalEnd.UTC().Format(time.RFC3339Nano))
	}
	if id.RunOutcome != "" {
		env = append(env, "SB_RUN_OUTCOME="+id.RunOutcome)
	}
	if id.Gang != nil {
		env = append(env, id.Gang.environ(&id)...)
	}
	return env, nil
}
