package policy

import (
	"time"
)

// Policy decides about tasks. The zero value refuses everything; All allows it.
type Policy struct {
	digest []byte // of the file, nil without one
	all    bool

	pipelines, commands, env, secrets, paths patterns
	scripts                                  bool

	maxRun    time.Duration
	maxCPU    int64 // thousandths of a core
	maxMemory int64 // bytes
}

// All is the policy without a file.
func All() *Policy { return &Policy{all: true} }

// Digest is the sha256 of the policy's file, nil where everything is allowed. It
// lets the pool's page show whether agents have the same policy.
func (p *Policy) Digest() []byte { return p.digest }

// Task is what a policy judges of a task. Everything in it stands in the
// pipeline's file, so a refusal may repeat it.
type Task struct {
	Pipeline    string
	Command     string // the first word; empty for a script
	Env         []string
	Secrets     []string // references
	Path        string   // absolute, empty without a source
	Run         time.Duration
	CPUMillis   int64
	MemoryBytes int64
}

// Check returns nil or the *ViolationError of the first rule that refuses the task.
func (p *Policy) Check(task Task) error {
	if p.all {
		return nil
	}
	if err := p.CheckPipeline(task.Pipeline); err != nil {
		return err
	}
	if task.Command == "" && !p.scripts {
		return refuse("allow.scripts", "scripts (`run:`) are not allowed")
	}
	if task.Command != "" && !p.commands.match(task.Command) {
		return refuse("allow.commands", "command %q is not in the list", task.Command)
	}
	for _, name := range task.Env {
		if !p.env.match(name) {
			return refuse("allow.env", "variable %q is not in the list", name)
		}
	}
	for _, ref := range task.Secrets {
		if !p.secrets.match(ref) {
			return refuse("allow.secrets", "secret %q is not in the list", ref)
		}
	}
	if task.Path != "" && !p.paths.match(task.Path) {
		return refuse("allow.paths", "folder %q is not in the list", task.Path)
	}
	return p.checkMax(task)
}

// CheckPipeline is Check for what runs nothing: a condition over a pipeline's
// values is decided only for pipelines that are allowed at all.
func (p *Policy) CheckPipeline(pipeline string) error {
	if !p.all && !p.pipelines.match(pipeline) {
		return refuse("allow.pipelines", "pipeline %q is not in the list", pipeline)
	}
	return nil
}

func (p *Policy) checkMax(task Task) error {
	if p.maxRun > 0 && (task.Run == 0 || task.Run > p.maxRun) {
		return refuse("max.run", "a run limit of at most %v is required (`timeouts: {run: …}`)", p.maxRun)
	}
	if p.maxCPU > 0 && task.CPUMillis > p.maxCPU {
		return refuse("max.cpu", "%g cores are more than %g", cores(task.CPUMillis), cores(p.maxCPU))
	}
	if p.maxMemory > 0 && task.MemoryBytes > p.maxMemory {
		return refuse("max.memory", "%d bytes are more than %d", task.MemoryBytes, p.maxMemory)
	}
	return nil
}

// Cap is the limit of a step whose pipeline leaves it open (0: there is none yet):
// never more than the policy allows.
func (p *Policy) Cap(run time.Duration) time.Duration {
	if p.maxRun > 0 && (run == 0 || run > p.maxRun) {
		return p.maxRun
	}
	return run
}

func cores(millis int64) float64 { return float64(millis) / 1000 }
