// Package policy is the customer's own word on what their agent may do. Its file
// lies on the agent's machine and no control plane can change it:
//
//	[allow]
//	pipelines = ["fraud-*"]
//	commands  = ["python", "/opt/ml/*"]      # the first word of a `command:`
//	scripts   = true                         # `run:`, which is any command at all
//	env       = ["*"]                        # names that `env:` and `secrets:` may set
//	secrets   = ["env:LAKE_*", "file:/run/secrets/*"]
//	paths     = ["/srv/ml/*"]                # folders of `source: {path}`
//
//	[max]
//	run    = "12h"
//	cpu    = 8
//	memory = "64GiB"
//
// A policy allows what it lists and refuses the rest, so that what a later
// release can do is not allowed by a file that never heard of it. A star stands
// for any text. Without a file everything is allowed, for a laptop or a first
// try; the agent says so at its start.
//
// A refusal names its rule and is no failure of the infrastructure: the task is
// not tried again, here or elsewhere, and not billed.
package policy
