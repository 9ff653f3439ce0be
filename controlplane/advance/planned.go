package advance

import "github.com/signalboxhq/signalbox/controlplane/report"

// AttemptReport ends one attempt.
type AttemptReport = report.Attempt

// Planned is a task that a step adds.
type Planned = report.Planned

// MaxPlanned bounds how many tasks one step may add.
const MaxPlanned = report.MaxPlanned
