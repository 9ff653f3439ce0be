package pipeline

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/signalboxhq/signalbox/proto/plan"
)

// version is the only version of the format.
const version = "v1"

// DefaultPool serves a pipeline that names no pool.
const DefaultPool = "default"

// readPipeline reads the whole file. Tasks come after params and defaults, and
// what ties tasks together after all of them, so that the order of keys in the
// file means nothing.
func (c *compiler) readPipeline(root *yaml.Node) {
	file := entry{value: root}
	if root.Kind == yaml.MappingNode && !c.knownFormat(file) {
		return
	}
	o, ok := c.object(file, pipelineKeys)
	if !ok {
		return
	}
	c.plan.Format = plan.Format
	c.plan.Pool = DefaultPool
	if e, ok := o.get("name"); ok {
		c.plan.Name, _ = c.name(e, pipelineName)
	} else {
		c.missing(o, "name", "a name, as in `name: fraud-train`")
	}
	if e, ok := o.get("pool"); ok {
		c.plan.Pool, _ = c.name(e, poolName)
	}
	if e, ok := o.get("labels"); ok {
		c.plan.Labels = c.labels(e, nil, labelName)
	}
	if e, ok := o.get("source"); ok {
		c.plan.Source = c.source(e)
	}
	if e, ok := o.get("on_task_failure"); ok {
		mode, _ := choice(c, e, plan.OnFailureContinue, plan.OnFailureStop, plan.OnFailureCancel)
		if mode != plan.OnFailureContinue { // the default has one spelling: none
			c.plan.OnFailure = mode
		}
	}
	if e, ok := o.get("outputs"); ok {
		c.left = c.few(e, `outputs of its tasks, as in {auc: "${{ tasks.train.outputs.auc }}"}`)
	}
	c.readDeadline(o)
	c.readParams(o)
	c.readTriggers(o)
	c.readConcurrency(o)
	c.readDefaults(o)
	c.readTasks(o)
	c.readExit(o)
	c.readGroups()
	c.link()
}

// knownFormat looks at what kind of file this is, so that a file of another system
// is told so in one sentence.
func (c *compiler) knownFormat(file entry) bool {
	for _, f := range file.fields() {
		switch f.name {
		case "signalbox":
			v, ok := c.text(f, "`signalbox: v1`")
			if ok && v != version {
				c.fail(f.path, f.value, Problem{
					Message: "this version of the format is not known", Want: "`signalbox: v1`", Got: fmt.Sprintf("%q", clip(v)),
				})
				return false
			}
			return true
		case "pipelineInfo", "deploymentSpec":
			c.fail("", f.key, Problem{Message: "compiled Kubeflow pipelines are not supported yet", Want: "a file that begins with `signalbox: v1`"})
			return false
		}
	}
	c.failAt("signalbox", span{1, 1, 1}, Problem{
		Message: "`signalbox` is missing", Want: "a file that begins with `signalbox: v1`",
	})
	return true
}

// missing reports a key that o must have.
func (c *compiler) missing(o object, key, want string) {
	at := span{1, 1, 1}
	if o.path != "" {
		at = c.src.spanOf(o.node)
	}
	c.failAt(join(o.path, key), at, Problem{Message: fmt.Sprintf("`%s` is missing", key), Want: want})
}

func (c *compiler) readDeadline(o object) {
	e, ok := o.get("timeouts")
	if !ok {
		return
	}
	k := deadlineKeys
	for _, f := range taskClocks(e) {
		c.fail(f.path, f.key, Problem{
			Message: fmt.Sprintf("`%s` is a clock of a task, not of the whole run", f.name),
			Want:    "`deadline` here",
			Hint:    fmt.Sprintf("for all tasks: `defaults: {timeouts: {%s: …}}`", f.name),
		})
		k.known = append(slices.Clip(k.known), f.name) // reported once is enough
	}
	if t, ok := c.object(e, k); ok {
		if d, ok := t.get("deadline"); ok {
			c.plan.Deadline, _ = c.duration(d)
		}
	}
}

func (c *compiler) source(e entry) *plan.Source {
	o, ok := c.object(e, sourceKeys)
	if !ok {
		return nil
	}
	p, ok := o.get("path")
	if !ok {
		if !o.mentions("git") { // which was refused by name
			c.missing(o, "path", "the folder on the agent that holds the code")
		}
		return nil
	}
	path, ok := c.path(p, "a folder on the agent, absolute or relative to where the agent was started")
	if !ok {
		return nil
	}
	return &plan.Source{Path: path}
}

func (c *compiler) readDefaults(o object) {
	c.defaults = builtin()
	c.defaults.pool = c.plan.Pool
	if e, ok := o.get("defaults"); ok {
		if d, ok := c.object(e, defaultKeys); ok {
			c.defaults = c.settings(d, c.defaults)
		}
	}
}
