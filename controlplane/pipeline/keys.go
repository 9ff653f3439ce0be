package pipeline

import "slices"

// keys says which keys a mapping of the format may have. Later holds those that
// format.md describes and this version refuses by name.
type keys struct {
	where string // "a task", for messages
	known []string
	later []string
}

var pipelineKeys = keys{
	where: "a pipeline",
	known: []string{
		"signalbox", "name", "labels", "pool", "source", "params", "timeouts", "on_task_failure",
		"defaults", "tasks", "on_exit", "triggers", "concurrency", "outputs",
	},
	later: []string{
		"budget", "notify", "limits", "assets", "image", "checks", "contracts",
	},
}

var taskKeys = keys{
	where: "a task",
	known: []string{
		"run", "command", "needs", "rule", "env", "secrets", "labels", "select", "resources", "retry",
		"timeouts", "outputs", "artifacts", "priority", "pool", "on_failure", "source",
		"tasks", "wait", "signal", "approve",
		"if", "for_each", "matrix", "max_parallel", "tolerate", "on_empty", "stop_on", "max", "repeat", "template",
		"limits", "gang", "pipeline", "with", "version", "on_parent_cancel",
	},
	later: []string{
		"promote", "cache", "checkpoint", "assets", "image", "ray", "spark",
		"budget", "notify", "concurrency", "requires", "preemptible", "on_disconnect", "checks",
	},
}

// graphKeys are what an exit handler has not: it waits for the run, not for
// tasks, happens once, and never changes the outcome.
var graphKeys = []string{
	"needs", "rule", "artifacts", "on_failure", "tasks", "wait", "signal", "approve",
	"if", "for_each", "matrix", "max_parallel", "tolerate", "on_empty", "stop_on", "max", "repeat", "template",
	"pipeline", "with", "version", "on_parent_cancel",
}

var exitTaskKeys = keys{
	where: "an exit handler",
	known: without(taskKeys.known, graphKeys...),
	later: slices.Concat(taskKeys.later, without(graphKeys, "needs", "rule", "on_failure")),
}

var exitKeys = keys{where: "an entry of on_exit", known: []string{"when", "name", "task"}, later: []string{"timeout"}}

var defaultKeys = keys{
	where: "defaults",
	known: []string{
		"env", "secrets", "labels", "select", "resources", "retry", "timeouts", "priority", "pool", "on_failure",
	},
	later: []string{"image", "cache", "checkpoint", "limits", "notify", "preemptible", "on_disconnect"},
}

var (
	paramKeys = keys{
		where: "a param",
		known: []string{"type", "default", "min", "max", "enum", "open", "description"},
	}
	triggerKeys = keys{
		where: "a trigger",
		known: []string{
			"schedule", "every", "dates", "name", "timezone", "anchor", "exclude", "start", "end", "jitter", "catchup", "overlap", "max_runs",
			"pause_on_failure", "params",
		},
		later: []string{"asset", "event", "webhook", "debounce", "coalesce", "and_cron", "filter"},
	}
	sourceKeys   = keys{where: "source", known: []string{"path"}, later: []string{"git", "ref", "bundle"}}
	deadlineKeys = keys{where: "the timeouts of a pipeline", known: []string{"deadline"}}
	resourceKeys = keys{
		where: "resources",
		known: []string{"cpu", "memory", "gpu", "gpu_type", "slots"},
		later: []string{"capacity", "disk", "shm", "ephemeral_storage"},
	}
	retryKeys = keys{
		where: "retry",
		known: []string{"user", "infra", "preempt", "backoff", "jitter", "never"},
		later: []string{"on_oom"},
	}
	backoffKeys = keys{where: "backoff", known: []string{"base", "factor", "cap"}}
	timeoutKeys = keys{where: "the timeouts of a task", known: []string{"queue", "start", "run", "progress", "grace"}}
	outputKeys  = keys{where: "an output", known: []string{"type", "open"}}

	repeatKeys  = keys{where: "repeat", known: []string{"until", "max", "on_max"}}
	waitKeys    = keys{where: "wait", known: []string{"for", "until"}}
	signalKeys  = keys{where: "signal", known: []string{"name", "type", "timeout", "on_timeout"}}
	approveKeys = keys{
		where: "approve",
		known: []string{"message", "by", "required", "not_requester", "timeout", "on_timeout", "on_reject"},
		later: []string{"form", "remind", "delegate"},
	}

	artifactsKeys   = keys{where: "artifacts", known: []string{"in", "out"}}
	artifactInKeys  = keys{where: "an artifact", known: []string{"from", "type"}}
	artifactOutKeys = keys{where: "an artifact", known: []string{"type", "path"}, later: []string{"asset"}}
)

// synonyms are the words of other systems, too far from ours for an edit distance.
var synonyms = map[string]string{
	"depends_on": "needs", "dependencies": "needs", "depends": "needs", "after": "needs", "upstream": "needs",
	"script": "run", "sh": "run", "bash": "run", "shell": "run",
	"cmd": "command", "entrypoint": "command", "argv": "command", "exec": "command",
	"jobs": "tasks", "steps": "tasks", "nodes": "tasks", "stages": "tasks",
	"environment": "env", "variables": "env", "vars": "env",
	"parameters": "params", "inputs": "params", "arguments": "params",
	"tags": "labels", "queue": "pool", "worker_pool": "pool", "timeout": "timeouts", "retries": "retry",
	"mem": "memory", "gpus": "gpu", "cpus": "cpu", "trigger_rule": "rule", "finally": "on_exit",
	"cron": "schedule", "tz": "timezone", "interval": "every", "catch_up": "catchup", "on_fail": "on_failure", "when": "if", "schedule": "triggers", "foreach": "for_each", "map": "for_each",
	"condition": "if", "loop": "repeat", "while": "repeat", "parallelism": "max_parallel", "group": "tasks", "sensor": "wait",
	"approval": "approve", "approvers": "by", "max_items": "max", "sleep": "wait",
	"subflow": "pipeline", "workflow": "pipeline", "trigger_pipeline": "pipeline",
	"choices": "enum", "exponent": "factor", "max_delay": "cap", "delay": "base",
}

// hint says what was probably meant by an unknown key.
func (k keys) hint(got string) string {
	all := slices.Concat(k.known, k.later)
	near := nearest(got, all)
	if word := synonyms[got]; slices.Contains(all, word) {
		near = []string{word}
	}
	if len(near) > 0 && slices.Contains(k.later, near[0]) {
		return "did you mean `" + near[0] + "`? It is not supported yet"
	}
	return meant(near)
}

func without(list []string, drop ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(drop, s) })
}
