package plan

import "encoding/json"

// Schedule starts runs by time. Exactly one of Cron, Every and Dates is set.
// Times and the other texts are as they were written, so that what is shown is
// what was asked for; controlplane/schedule reads them.
type Schedule struct {
	// Name tells a pipeline's schedules apart, from one version to the next.
	Name string `json:"name,omitempty"`

	Cron string `json:"cron,omitempty"` // five fields, or six with seconds first
	// Every is elapsed time between fires, counted from Anchor.
	Every  Millis   `json:"every_ms,omitempty"`
	Anchor string   `json:"anchor,omitempty"`
	Dates  []string `json:"dates,omitempty"`

	Timezone string   `json:"timezone,omitempty"` // of the IANA database; empty is UTC
	Exclude  []string `json:"exclude,omitempty"`  // dates, times or cron expressions
	Start    string   `json:"start,omitempty"`
	End      string   `json:"end,omitempty"`
	Jitter   Millis   `json:"jitter_ms,omitempty"`

	// Catchup is none, latest, all or window(<duration>); empty is latest.
	Catchup string `json:"catchup,omitempty"`
	// Overlap says what happens while the run before still runs; empty is allow.
	Overlap        string `json:"overlap,omitempty"`
	MaxRuns        int64  `json:"max_runs,omitempty"` // 0 is no limit
	PauseOnFailure bool   `json:"pause_on_failure,omitempty"`

	// Params are given to each run.
	Params []ScheduleParam `json:"params,omitempty"`
}

// ScheduleParam is a param of a scheduled run: a value in the clear, or an
// envelope in base64 for URLs without padding.
type ScheduleParam struct {
	Name   string          `json:"name"`
	Value  json.RawMessage `json:"value,omitempty"`
	Sealed string          `json:"sealed,omitempty"`
}
