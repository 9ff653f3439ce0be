package plan

// What a task asks of dispatch beyond an agent that can run it.

// Use is a number of units of a limit of the workspace, which the task holds
// while an attempt of it lives, or spends where the limit is a rate.
type Use struct {
	Limit string `json:"limit"`
	Units int    `json:"units"`
}

// The limits of what a task may ask for.
const (
	MaxUses     = 16
	MaxUnits    = 1_000_000
	MaxGangSize = 512
)

// Gang makes an attempt several members that start together or not at all, each
// with all the resources that the task asks for. The end of one ends them all;
// what member 0 leaves are the task's outputs.
type Gang struct {
	Size int `json:"size"`
	// Min is enough once the gang has waited long; 0 means Size.
	Min int `json:"min,omitempty"`
	// Spread says where members may be: on an agent each (empty), or anywhere.
	Spread Spread `json:"spread,omitempty"`
}

// Spread says how the members of a gang are spread over agents.
type Spread string

// The kinds of spread; empty means SpreadAgents.
const (
	SpreadAgents Spread = "agents"
	SpreadAny    Spread = "any"
)
